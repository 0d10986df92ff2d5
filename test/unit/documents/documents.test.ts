import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const readme = readFileSync('README.md', 'utf8');
const config = readFileSync('src/config.ts', 'utf8');
const decisions = readdirSync('docs/adr').map((name) => `docs/adr/${name}`);
const documents = ['README.md', 'docs/architecture.md', 'docs/operations.md', ...decisions];

describe('the documents', () => {
  test('README names exactly the variables that the configuration reads', () => {
    const schema = config.slice(config.indexOf('const environmentSchema'));
    const read = [...schema.slice(0, schema.indexOf('\n});')).matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name);
    const table = section(readme, '## Environment');
    const named = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
    );

    expect(named.toSorted()).toEqual(read.toSorted());
  });

  test('README names only commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...readme.matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name]) => String(name).replace(/:$/, ''));

    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('README names exactly the events of Stripe that the sweep asks for', () => {
    const source = readFileSync('src/infrastructure/stripe/events.ts', 'utf8');
    const [, types = ''] = /const TYPES = \[([^\]]+)\]/.exec(source) ?? [];
    const asked = [...types.matchAll(/'([\w.]+)'/g)].map(([, type]) => type);
    const [, named = ''] = /Add a webhook endpoint([\s\S]+?)Copy its signing secret/.exec(readme) ?? [];

    expect(asked.length).toBeGreaterThan(10);
    expect([...named.matchAll(/`([a-z_]+\.[a-z_.]+)`/g)].map(([, type]) => type)).toEqual(asked);
  });

  test('operations names exactly the metrics of our own', () => {
    const source = readFileSync('src/infrastructure/observability/metrics.ts', 'utf8');
    const defined = [...source.matchAll(/name: '([a-z_]+)'/g)].map(([, name]) => name);
    const table = section(readFileSync('docs/operations.md', 'utf8'), '## Metrics');

    expect([...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name).toSorted()).toEqual(defined.toSorted());
  });

  test.each(documents)('%s links only to files that exist', (document) => {
    const text = readFileSync(document, 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => String(target));

    expect(targets.filter((target) => !existsSync(join(dirname(document), target)))).toEqual([]);
  });

  test('the decisions are numbered without a gap, listed in the architecture, and short', () => {
    const architecture = readFileSync('docs/architecture.md', 'utf8');

    expect(decisions.map((path) => Number(path.slice('docs/adr/'.length, 'docs/adr/0000'.length)))).toEqual(
      decisions.map((_path, index) => index + 1),
    );
    for (const path of decisions) {
      const text = readFileSync(path, 'utf8');
      expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
        'Context',
        'Decision',
        'Consequences',
      ]);
      expect(text.split(/\s+/).length).toBeLessThan(400);
      expect(architecture).toContain(path.slice('docs/'.length));
    }
  });
});

function section(text: string, heading: string): string {
  const from = text.indexOf(`${heading}\n`);
  if (from < 0) throw new Error(`there is no ${heading}`);
  const to = text.indexOf('\n## ', from + heading.length);
  return text.slice(from, to < 0 ? undefined : to);
}
