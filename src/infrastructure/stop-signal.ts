import { constants } from 'node:os';

/** The signals by which a person, a terminal that closes, or a supervisor asks a process to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One Ctrl-C reaches a process under npm twice: the terminal sends it to all processes of the group, and npm passes it
 * on. Whoever really asks twice takes longer than this.
 */
const SAME_REQUEST_MS = 500;

export interface StopSignal {
  readonly promise: Promise<void>;
  readonly requested: boolean;
}

/** Resolves at the first signal. At the second the process ends at once: whoever asks twice does not want to wait. */
export function stopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_REQUEST_MS) process.exit(128 + constants.signals[signal]);
      resolve();
    });
  }
  return {
    promise,
    get requested() {
      return firstAt !== undefined;
    },
  };
}
