import { type Logger, type LoggerOptions, pino } from 'pino';
import { requestScope } from '../../application/request-scope.js';
import type { Config } from '../../config.js';

export type { Logger };

/** Names under which secrets travel; whatever object they stand in, they are not logged. */
const SECRET_NAMES = [
  'authorization',
  'accessToken',
  'refreshToken',
  'clientSecret',
  'access_token',
  'refresh_token',
  'client_secret',
  'apiKey',
  'password',
];

/** JSON lines in production; in development lines for people, when standard output is a terminal or pipe alike. */
export async function createLogger({ logLevel, production }: Pick<Config, 'logLevel' | 'production'>): Promise<Logger> {
  const options: LoggerOptions = {
    level: logLevel,
    base: null,
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    mixin: () => {
      const requestId = requestScope.getStore()?.requestId;
      return requestId === undefined ? {} : { requestId };
    },
  };
  const stream = production ? undefined : await prettyStream();
  return stream ? pino(options, stream) : pino(options);
}

/** pino-pretty is an optional dependency: without it development logs are JSON, too. */
async function prettyStream() {
  try {
    const { default: pretty } = await import('pino-pretty');
    return pretty({
      colorize: process.stdout.isTTY,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,hostname',
      sync: true,
    });
  } catch {
    return undefined;
  }
}
