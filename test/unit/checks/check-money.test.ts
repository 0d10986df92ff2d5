import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';

function check(...folders: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.config/check-money.mjs', ...folders], {
    encoding: 'utf8',
  });
  return { status, stdout, findings: stderr.trim().split('\n').filter(Boolean) };
}

describe('check:money', () => {
  test('finds every way to a float and every arithmetic on money, each with file and line', () => {
    const { status, findings } = check('test/fixtures/money');

    expect(status).toBe(1);
    expect(findings.toSorted()).toEqual([
      'test/fixtures/money/arithmetic.ts:10  "*" on money: use a function of src/domain/money.ts',
      'test/fixtures/money/arithmetic.ts:8  "/" on money: use a function of src/domain/money.ts',
      'test/fixtures/money/arithmetic.ts:9  "+" on money: use a function of src/domain/money.ts',
      'test/fixtures/money/floats.ts:2  Number() makes a float',
      'test/fixtures/money/floats.ts:3  .parseFloat() makes or prints a float',
      'test/fixtures/money/floats.ts:4  unary + makes a float',
      'test/fixtures/money/floats.ts:5  .toFixed() makes or prints a float',
    ]);
  });

  test('finds nothing in the sources', () => {
    const { status, stdout, findings } = check('src');

    expect(findings).toEqual([]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/no bare arithmetic on money in \d{3} files/);
  });
});
