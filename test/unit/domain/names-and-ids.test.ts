import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomIds } from '../../../src/domain/ids.js';
import { deriveInvoiceStatus } from '../../../src/domain/invoice/invoice.status.js';
import { minorUnits } from '../../../src/domain/money.js';
import { normalizeOrganizationName } from '../../../src/domain/organization-name.js';

describe('names of organisations', () => {
  test.each([
    ['Acme Ltd', 'ACME ltd'],
    ['Acme Ltd', '  Acme\t Ltd \n'],
    ['Acme Ltd', 'Ａｃｍｅ　Ｌｔｄ'],
    ['Acme Ltd', 'Acme\u00a0Ltd'],
    ['École', 'e\u0301cole'],
  ])('%j and %j are the same customer', (left, right) => {
    expect(normalizeOrganizationName(right)).toBe(normalizeOrganizationName(left));
  });

  test.each([
    ['Acme Ltd', 'Acme Ltd.'],
    ['Acme', 'Acme 2'],
    ['Cafe', 'Café'],
  ])('%j and %j are different customers', (left, right) => {
    expect(normalizeOrganizationName(right)).not.toBe(normalizeOrganizationName(left));
  });

  test('normalising twice changes nothing more', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '\t', 'é', 'ß', '東', '🚀', '\u0301') }), (name) => {
        const once = normalizeOrganizationName(name);
        expect(normalizeOrganizationName(once)).toBe(once);
      }),
    );
  });
});

describe('new ids', () => {
  test('bear their type and never repeat', () => {
    const ids = Array.from({ length: 1000 }, () => randomIds.next('po'));
    for (const id of ids) expect(id).toMatch(/^po_[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(1000);
  });

  test('sort in the order in which they were made', () => {
    const ids = Array.from({ length: 1000 }, () => randomIds.next('pay'));
    expect([...ids].sort()).toEqual(ids);
  });

  test('references are PO- and six capital letters or digits', () => {
    const references = Array.from({ length: 1000 }, () => randomIds.nextReference());
    for (const reference of references) expect(reference).toMatch(/^PO-[A-Z0-9]{6}$/);
    expect(new Set(references).size).toBeGreaterThan(990);
  });
});

describe('the status of an invoice at its provider', () => {
  test.each([
    [1000n, 1000n, false, 'OPEN'],
    [1000n, 999n, false, 'PARTIALLY_PAID'],
    [1000n, 0n, false, 'PAID'],
    [1000n, -1n, false, 'PAID'],
    [0n, 0n, true, 'VOIDED'],
  ])('total %s, balance %s, voided %s is %s', (total, balance, voided, expected) => {
    expect(deriveInvoiceStatus({ total: minorUnits(total), balance: minorUnits(balance), voided })).toBe(expected);
  });
});
