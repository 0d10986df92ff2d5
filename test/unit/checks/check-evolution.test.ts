import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const SCRIPT = resolve('.config/check-evolution.mjs');
const PAST = '2026-01-31';
const FUTURE = '2999-12-31';

let checkout: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'conference-invoicing-evolution-'));
  git('init', '--quiet');
});

afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function git(...args: string[]): void {
  const who = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.com'];
  execFileSync('git', [...who, ...args], {
    cwd: checkout,
    env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null' },
  });
}

function write(schema: string): void {
  writeFileSync(join(checkout, 'schema.graphql'), schema);
}

function release(tag: string, schema: string): void {
  write(schema);
  git('add', '-A');
  git('commit', '--quiet', '-m', tag);
  git('tag', tag);
}

function check(schema: string) {
  write(schema);
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], { cwd: checkout, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const deprecated = (day: string) => `@deprecated(reason: "Use total. Removal not before ${day}.")`;
const orderWith = (fields: string, rest = '') =>
  `type Query { order: Order } type Order { id: ID! total: Int ${fields} } ${rest}`;
const HINT = 'Deprecate it with "Removal not before YYYY-MM-DD", release that, and remove it when the day has come.\n';

describe('check:evolution', () => {
  test('passes and says so where there is no release to compare with', () => {
    const nothing = { status: 0, stdout: 'no release (tag v…) is known here to compare with\n', stderr: '' };
    expect(check(orderWith(''))).toEqual(nothing);
    git('add', '-A');
    git('commit', '--quiet', '-m', 'first');
    git('tag', 'nightly');
    expect(check(orderWith(''))).toEqual(nothing);
  });

  test('passes a shallow clone without tags', () => {
    release('v1.0.0', orderWith('sum: Int'));
    release('v1.1.0', orderWith('sum: Int net: Int'));
    const clone = join(checkout, 'clone');
    git('clone', '--quiet', '--depth', '1', '--no-tags', `file://${checkout}`, clone);
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT], { cwd: clone, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, 'no release (tag v…) is known here to compare with\n']);
  });

  test('passes what was added since the last release, of which it takes the latest', () => {
    release('v1.0.0', orderWith('gone: Int'));
    release('v1.1.0', orderWith(''));
    expect(check(orderWith('note: String'))).toEqual({
      status: 0,
      stdout: 'clients of v1.1.0 can use the schema\n',
      stderr: '',
    });
  });

  test.each([
    ['a removed field', 'sum: Int', '', 'Order.sum was removed.'],
    ['a field of another type', 'sum: Int', 'sum: String', 'Order.sum changed type from Int to String.'],
    ['a new required argument', 'sum: Int', 'sum(of: Int!): Int', 'A required arg of on Order.sum was added.'],
  ])('refuses %s', (_what, before, after, problem) => {
    release('v1.0.0', orderWith(before));
    expect(check(orderWith(after))).toEqual({
      status: 1,
      stdout: '',
      stderr: `breaking since v1.0.0: ${problem}\n${HINT}`,
    });
  });

  test('refuses the removal of what was deprecated too late, or is deprecated only now', () => {
    release('v1.0.0', orderWith(`sum: Int ${deprecated(FUTURE)}`));
    const refused = { status: 1, stdout: '', stderr: `breaking since v1.0.0: Order.sum was removed.\n${HINT}` };
    expect(check(orderWith(''))).toEqual(refused);
    release('v2.0.0', orderWith('sum: Int'));
    check(orderWith(`sum: Int ${deprecated(PAST)}`));
    expect(check(orderWith('')).stderr).toBe(`breaking since v2.0.0: Order.sum was removed.\n${HINT}`);
  });

  test('passes the removal of what was deprecated until a day that has come, with what only it needed', () => {
    const before = `
      type Query { order(by: ID ${deprecated(PAST)}): Order node: Node any: String ${deprecated(PAST)} }
      type Mutation { pay(input: PayInput): Int close(input: CloseInput): ClosePayload ${deprecated(PAST)} }
      interface Node { id: ID! }
      interface UserError { message: String! }
      enum Status { OPEN LATE ${deprecated(PAST)} }
      type Order implements Node { id: ID! status: Status sum: Sum ${deprecated(PAST)} }
      type Sum { amount: Int }
      type Invoice implements Node { id: ID! }
      type ClosePayload { userErrors: [CloseError!]! }
      type CloseError implements UserError { message: String! }
      input PayInput { amount: Int day: String ${deprecated(PAST)} }
      input CloseInput { id: ID! }`;
    const after = `
      type Query { order: Order node: Node }
      type Mutation { pay(input: PayInput): Int }
      interface Node { id: ID! }
      enum Status { OPEN }
      type Order implements Node { id: ID! status: Status }
      type Invoice implements Node { id: ID! }
      input PayInput { amount: Int }`;
    release('v1.0.0', before);

    expect(check(after)).toEqual({ status: 0, stdout: 'clients of v1.0.0 can use the schema\n', stderr: '' });
    const withoutInvoices = check(after.replace('type Invoice implements Node { id: ID! }', ''));
    expect(withoutInvoices.stderr).toBe(`breaking since v1.0.0: Invoice was removed.\n${HINT}`);
  });

  test('lists dangerous changes and passes them', () => {
    release('v1.0.0', orderWith('status: Status', 'enum Status { OPEN }'));
    expect(check(orderWith('status: Status', 'enum Status { OPEN PAID }'))).toEqual({
      status: 0,
      stdout: 'dangerous: PAID was added to enum type Status.\nclients of v1.0.0 can use the schema\n',
      stderr: '',
    });
  });

  test('refuses a deprecation without a day, release or not', () => {
    const { status, stderr } = check(
      orderWith('sum: Int @deprecated(reason: "Use total.") net(of: Int @deprecated): Int'),
    );
    expect(status).toBe(1);
    expect(stderr).toBe(
      'Order.sum is deprecated without "Removal not before YYYY-MM-DD"\nOrder.net.of is deprecated without "Removal not before YYYY-MM-DD"\n',
    );
  });
});
