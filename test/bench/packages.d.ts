// The little that is used of packages which only test/bench installs, so that `npm run check` needs none of them.

declare module 'autocannon' {
  export interface Request {
    readonly method: 'POST';
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    /** Called before each sending; what it returns is sent. */
    readonly setupRequest?: (request: Request, context: Record<string, unknown>) => Request;
    readonly onResponse?: (status: number, body: string, context: Record<string, unknown>) => void;
  }

  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly requests: readonly Request[];
  }

  interface Result {
    readonly errors: number;
    readonly timeouts: number;
    readonly non2xx: number;
    /** Seconds. */
    readonly duration: number;
  }

  export default function autocannon(options: Options): Promise<Result>;
}

declare module 'postgraphile' {
  import type { Server } from 'node:http';

  /** Options and plugins; PostGraphile's own types are not repeated here. */
  type Preset = Record<string, unknown>;

  interface GrafservInstance {
    addTo(server: Server): Promise<void>;
  }

  export function postgraphile(preset: Preset): {
    createServ(grafserv: (configuration: Preset) => GrafservInstance): GrafservInstance;
  };
}

declare module 'postgraphile/presets/amber' {
  export const PostGraphileAmberPreset: Record<string, unknown>;
}

declare module 'postgraphile/adaptors/pg' {
  export function makePgService(options: {
    readonly connectionString: string;
    readonly schemas: readonly string[];
    readonly poolConfig: { readonly max: number };
  }): Record<string, unknown>;
}

declare module 'postgraphile/grafserv/node' {
  export function grafserv(configuration: Record<string, unknown>): {
    addTo(server: import('node:http').Server): Promise<void>;
  };
}
