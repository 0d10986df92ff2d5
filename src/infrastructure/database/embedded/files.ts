import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * The text of a small private file, written by whoever comes first: `link` refuses to replace a file, so two starts at
 * the same moment read the same text, and never half of it.
 */
export async function readOrCreate(
  path: string,
  createText: () => string,
  prepare: (file: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, `${createText()}\n`, { mode: 0o600 });
  try {
    await chmod(unfinished, 0o600);
    await prepare(unfinished);
    await link(unfinished, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  // Not `instanceof Error`: under Jest the system's errors come from another realm.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && codes.includes(code);
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR');
}

/** A process that exists but is not ours answers EPERM: it is alive all the same. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
