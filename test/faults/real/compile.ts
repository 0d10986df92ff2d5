import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CompiledProcess {
  /** Where its `process.js` is. */
  readonly program: string;
  remove(): Promise<void>;
}

/** Compiles the app and the process under test once: they are started hundreds of times. */
export async function compileProcess(): Promise<CompiledProcess> {
  const checkout = process.cwd();
  const root = await mkdtemp(join(tmpdir(), 'conference-invoicing-faults-'));
  await chmod(root, 0o755);
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  const output = ['--outDir', join(root, 'dist'), '--tsBuildInfoFile', join(root, 'dist', '.tsbuildinfo')];
  const compiler = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.json', ...output]);
  return {
    program: join(root, 'dist', 'test', 'faults', 'real', 'process.js'),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
