import { type SpawnOptions, spawn } from 'node:child_process';

/** The unprivileged account that the server's programs run as; undefined: the account of this process. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

export interface RunOptions {
  readonly account: Account;
  /** A directory that the account can enter: PostgreSQL's programs look at where they were started. */
  readonly cwd: string;
  /** `pg_ctl start` must not share pipes with us: on Windows the server inherits them and they never close. */
  readonly output: 'capture' | 'ignore';
}

export interface RunResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs one of PostgreSQL's programs to its end. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, spawnOptions(options));
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', reject);
    child.on(options.output === 'capture' ? 'close' : 'exit', (code) => resolve({ ok: code === 0, output }));
  });
}

function spawnOptions({ account, cwd, output }: RunOptions): SpawnOptions {
  return {
    ...account,
    cwd,
    // A short environment of our own: PGDATA, PGPORT, LC_* and the like of the caller would change what these programs do.
    env: { LC_ALL: 'C', TZ: 'UTC' },
    // Its own process group: Ctrl-C on the terminal goes to the whole group of ours, and it is for us to stop the server.
    detached: true,
    windowsHide: true,
    stdio: output === 'capture' ? ['ignore', 'pipe', 'pipe'] : 'ignore',
  };
}
