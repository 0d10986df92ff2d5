import { readFile, rename, writeFile } from 'node:fs/promises';

/** Long enough to join the changes of one burst, short enough that little is lost in a crash. */
const SAVE_DELAY_MS = 250;
/** Large books take longer to write down: at most a tenth of the time goes into that. */
const REST_PER_EFFORT = 10;

/** Undefined when there is no file yet. */
export function readState(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Saves a little after changes, and never leaves half a file: it writes another one and renames it. */
export class StateSaver {
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private delayMs = SAVE_DELAY_MS;

  constructor(
    private readonly path: string | undefined,
    private readonly current: () => string,
  ) {}

  schedule(): void {
    if (this.path === undefined || this.timer !== undefined) return;
    // A failed write is tried again with the next one; the last, in `close`, reports its failure.
    this.timer = setTimeout(() => this.save().catch(() => this.schedule()), this.delayMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.save();
  }

  private save(): Promise<void> {
    this.timer = undefined;
    const { path } = this;
    if (path === undefined) return Promise.resolve();
    const before = this.saving.catch(() => undefined);
    this.saving = before.then(async () => {
      const begun = performance.now();
      const text = this.current();
      this.delayMs = Math.max(SAVE_DELAY_MS, REST_PER_EFFORT * (performance.now() - begun));
      await writeFile(`${path}.tmp`, text);
      await rename(`${path}.tmp`, path);
    });
    return this.saving;
  }
}
