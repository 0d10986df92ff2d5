import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

// No container engine is needed: these are the mistakes that reading the files can find.

interface Service {
  readonly image: string;
  readonly command?: unknown;
  readonly environment: Record<string, string>;
  readonly volumes?: string[];
  readonly ports?: string[];
  readonly healthcheck?: { readonly test: string[] };
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Record<'postgres' | 'api' | 'worker', Service>;
  readonly volumes: Record<string, unknown>;
}

const composeText = readFileSync('docker-compose.yml', 'utf8');
const compose: Compose = parse(composeText, { merge: true });
const { postgres, api, worker } = compose.services;
const dockerfile = readInstructions(readFileSync('Dockerfile', 'utf8'));
const knownVariables = variablesOf(readFileSync('src/config.ts', 'utf8'));

describe('docker-compose.yml', () => {
  test('has one PostgreSQL 18, one API process and one worker, both of the same image', () => {
    expect(Object.keys(compose.services)).toEqual(['postgres', 'api', 'worker']);
    expect(postgres.image).toBe('postgres:18');
    expect(api.image).toBe(worker.image);
    expect([api.environment.ROLE, worker.environment.ROLE]).toEqual(['api', 'worker']);
    expect([api.command, worker.command]).toEqual([undefined, undefined]);
  });

  test('keeps the data in a named volume at the place where the image of PostgreSQL 18 puts it', () => {
    expect(postgres.volumes).toEqual(['postgres-data:/var/lib/postgresql']);
    expect(Object.keys(compose.volumes)).toEqual(['postgres-data']);
  });

  test('starts the application when the database answers', () => {
    expect(postgres.healthcheck?.test.slice(0, 2)).toEqual(['CMD', 'pg_isready']);
    expect(api.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(worker.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
  });

  test('gives the application variables that it knows, and all that it needs', () => {
    const named = new Set([...Object.keys(api.environment), ...Object.keys(worker.environment)]);

    expect([...named].filter((name) => !knownVariables.includes(name))).toEqual([]);
    for (const { environment } of [api, worker]) {
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(['DATABASE_URL', 'ENCRYPTION_KEYS', 'ROLE']));
    }
  });

  test('holds no secret: each comes from outside, and the needed ones are asked for', () => {
    const secrets = Object.values(compose.services)
      .flatMap(({ environment }) => Object.entries(environment))
      .filter(([name]) => /PASSWORD|SECRET|TOKEN|KEY/.test(name));

    expect(secrets.length).toBeGreaterThanOrEqual(6);
    for (const [name, value] of secrets)
      expect([name, value]).toEqual([name, expect.stringMatching(/^\$\{[A-Z_]+:[?-].*\}$/)]);
    for (const name of ['POSTGRES_PASSWORD', 'ENCRYPTION_KEYS', 'BOOTSTRAP_API_KEY']) {
      const uses = composeText.match(new RegExp(`\\$\\{${name}\\b[^}]*\\}`, 'g')) ?? [];
      expect(uses.length).toBeGreaterThan(0);
      for (const use of uses) expect(use).toMatch(/^\$\{[A-Z_]+:\?.+\}$/);
    }
    expect(api.environment.DATABASE_URL).toMatch(
      /^postgres:\/\/\w+:\$\{POSTGRES_PASSWORD:\?[^}]+\}@postgres:5432\/\w+$/,
    );
  });

  test('connects as the user, and to the database, that PostgreSQL creates', () => {
    const url = new URL(String(api.environment.DATABASE_URL).replace(/\$\{[^}]*\}/, 'password'));

    expect(url.username).toBe(postgres.environment.POSTGRES_USER);
    expect(url.pathname).toBe(`/${postgres.environment.POSTGRES_DB}`);
    expect(worker.environment.DATABASE_URL).toBe(api.environment.DATABASE_URL);
  });

  test('is reached from this machine only, on the port that the image listens on', () => {
    expect(postgres.ports).toBeUndefined();
    expect(worker.ports).toBeUndefined();
    expect(api.ports).toEqual([`127.0.0.1:\${PORT:-4000}:${environmentOf(dockerfile).PORT}`]);
  });

  test('gives a worker the time of its slowest call before it is killed', () => {
    expect(worker.stop_grace_period).toBe('60s');
  });
});

describe('Dockerfile', () => {
  test('builds on Debian with the Node version of the project, in every stage', () => {
    const major = readFileSync('.nvmrc', 'utf8').trim();
    const bases = argumentsOf(dockerfile, 'FROM').map((text) => text.split(' ')[0]);

    expect(new Set(bases)).toEqual(new Set([`node:${major}-bookworm-slim`]));
  });

  test('copies only files that exist and that the build context contains', () => {
    const sources = argumentsOf(dockerfile, 'COPY')
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    const admitted = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));

    expect(readFileSync('.dockerignore', 'utf8').split('\n')).toContain('*');
    for (const source of sources) {
      expect(admitted).toContain(source);
      expect(() => readFileSync(source)).not.toThrow('ENOENT');
    }
    expect(new Set(sources)).toEqual(new Set(admitted));
  });

  test('takes what runs from the stages before: the build, and the production packages alone', () => {
    const copies = argumentsOf(finalStage(), 'COPY').filter((text) => text.startsWith('--from='));

    expect(copies).toEqual(['--from=dependencies /app/node_modules node_modules', '--from=build /app/dist dist']);
    expect(argumentsOf(dockerfile, 'RUN')).toEqual(['npm ci', 'npm run build', 'npm ci --omit=dev --omit=optional']);
    expect(argumentsOf(finalStage(), 'COPY')).toContain('package.json LICENSE ./');
  });

  test('runs in production mode, reachable from other containers, as an account that is not root', () => {
    expect(environmentOf(finalStage())).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '4000' });
    expect(Object.keys(environmentOf(finalStage())).every((name) => knownVariables.includes(name))).toBe(true);
    expect(argumentsOf(finalStage(), 'USER')).toEqual(['node']);
    expect(argumentsOf(finalStage(), 'EXPOSE')).toEqual(['4000']);
  });

  test('starts the program of `npm start` without a shell in between, so that it receives SIGTERM', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const command: string[] = JSON.parse(argumentsOf(finalStage(), 'CMD')[0] ?? '');

    expect(command[0]).toBe('node');
    expect(scripts.start).toBe(`node ${command.at(-1)}`);
    expect(() => readFileSync(String(command.at(-1)).replace(/^dist\/(.*)\.js$/, '$1.ts'))).not.toThrow();
    expect(argumentsOf(finalStage(), 'ENTRYPOINT')).toEqual([]);
  });

  test('asks /healthz with Node, because the image has no curl', () => {
    const [check = ''] = argumentsOf(finalStage(), 'HEALTHCHECK');
    const command: string[] = JSON.parse(check.slice(check.indexOf('CMD') + 'CMD'.length));

    expect(command.slice(0, 2)).toEqual(['node', '-e']);
    expect(command[2]).toContain(`fetch('http://127.0.0.1:' + process.env.PORT + '/healthz')`);
    expect(() => new Function(String(command[2]))).not.toThrow();
  });
});

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** One entry an instruction, continued lines joined, comments left out. */
function readInstructions(text: string): Instruction[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { name, text: rest.replace(/\s+/g, ' ') };
    });
}

function finalStage(): Instruction[] {
  return dockerfile.slice(dockerfile.findLastIndex(({ name }) => name === 'FROM'));
}

function argumentsOf(instructions: readonly Instruction[], name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const assignments = argumentsOf(instructions, 'ENV').flatMap((text) => text.split(' '));
  return Object.fromEntries(assignments.map((assignment) => assignment.split('=')));
}

/** The variables that the configuration reads. */
function variablesOf(source: string): string[] {
  const schema = source.slice(source.indexOf('const environmentSchema'));
  return [...schema.slice(0, schema.indexOf('\n});')).matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => String(name));
}
