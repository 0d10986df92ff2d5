import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const rows = readFileSync('docs/weaknesses.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, id, , proof] = /^\| (W-[QSC]\d+) \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    return id && proof ? [{ id, proof }] : [];
  });

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

describe('the list of weaknesses', () => {
  test('has every weakness once, in order', () => {
    expect(rows.map(({ id }) => id)).toEqual([...numbered('W-Q', 32), ...numbered('W-S', 18), ...numbered('W-C', 24)]);
  });

  test.each(rows)('$id names tests that exist under that name, or says why there is none', ({ id, proof }) => {
    const tests = [...proof.matchAll(/`([^`]+)` in \[[^\]]+\]\(\.\.\/([^)]+)\)/g)];
    for (const [, name = '', file = ''] of tests) {
      expect(name.startsWith(`${id}:`)).toBe(true);
      const source = readFileSync(join(process.cwd(), file), 'utf8').replaceAll("\\'", "'");
      expect({ file, name, found: source.includes(name) }).toEqual({ file, name, found: true });
    }
    const reason = proof.replace(/`[^`]+` in \[[^\]]+\]\([^)]+\)|<br>/g, '').trim();
    expect(tests.length > 0 || reason.length > 20).toBe(true);
  });
});
