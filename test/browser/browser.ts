import { access, mkdir } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's package, its names elsewhere, and whatever the environment names instead. */
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Screenshots are kept here, for whoever wants to see what a test saw. */
const SCREENSHOTS = '.browser';

/** A test that waits longer is to say for what. */
const WAIT_MS = 20_000;

/** A browser without a window. One that runs as root refuses its sandbox, and it opens nothing but our own pages. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
}

async function findChromium(): Promise<string> {
  const named = process.env.CHROMIUM_PATH;
  for (const path of named ? [named] : CANDIDATES) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  throw new Error(
    `No Chromium at ${named ?? CANDIDATES.join(', ')}. Install one (Debian: apt-get install chromium), or say where it is in CHROMIUM_PATH.`,
  );
}

/** A page that reaches one server only. Whatever else it asks for is refused and remembered. */
export async function openOfflinePage(browser: Browser, origin: string): Promise<{ page: Page; refused: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(WAIT_MS);
  const refused: string[] = [];
  await page.route(
    (url) => url.origin !== origin && ['http:', 'https:'].includes(url.protocol),
    (route) => {
      refused.push(route.request().url());
      return route.abort('internetdisconnected');
    },
  );
  return { page, refused };
}

export async function takeScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}
