import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CustomerDraft } from '../../../src/application/ports/accounting.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { freeFormAddress } from '../../../src/infrastructure/quickbooks/address.js';
import {
  customerBody,
  customerNameCandidates,
  findCustomersCall,
  readCustomer,
  readCustomers,
} from '../../../src/infrastructure/quickbooks/customers.js';

const EUR = 'EUR' as CurrencyCode;

const draft: CustomerDraft = {
  displayName: 'Acme GmbH (EUR)',
  organizationName: 'Acme: GmbH',
  contactName: 'Ada  Lovelace',
  email: 'ada@acme.example',
  billingAddress: 'Acme GmbH\r\nHauptstraße 1\n\n10115 Berlin\nGermany',
  currency: EUR,
};

describe('display names to try', () => {
  test('the plain name, then with the currency, then numbered', () => {
    expect(customerNameCandidates('Acme GmbH', EUR)).toEqual([
      'Acme GmbH',
      'Acme GmbH (EUR)',
      'Acme GmbH (2)',
      'Acme GmbH (3)',
      'Acme GmbH (4)',
    ]);
  });

  test('what QuickBooks forbids in names becomes a space', () => {
    expect(customerNameCandidates(' Acme:\tBerlin\r\n  GmbH\u0000 ', EUR)[0]).toBe('Acme Berlin GmbH');
  });

  test('a name of which nothing is left still gets one', () => {
    expect(customerNameCandidates(' ::: ', EUR)[0]).toBe('Unnamed organisation');
  });

  test('whatever the name, every candidate is legal and differs from the others', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 700 }),
      fc.string({ unit: 'grapheme', minLength: 400, maxLength: 700 }),
    );
    fc.assert(
      fc.property(text, (name) => {
        const candidates = customerNameCandidates(name, EUR);
        expect(new Set(candidates).size).toBe(5);
        for (const candidate of candidates) {
          expect(candidate).not.toMatch(/[:\p{Cc}]|^\s|\s$|\s\s/u);
          expect(candidate.length).toBeLessThanOrEqual(500);
          expect(candidate.length).toBeGreaterThan(0);
          expect(candidate.isWellFormed()).toBe(true);
        }
      }),
    );
  });
});

describe('the body that creates a customer', () => {
  test('names, e-mail, address and currency', () => {
    expect(customerBody(draft)).toBe(
      JSON.stringify({
        DisplayName: 'Acme GmbH (EUR)',
        CompanyName: 'Acme GmbH',
        GivenName: 'Ada Lovelace',
        PrintOnCheckName: 'Acme GmbH',
        PrimaryEmailAddr: { Address: 'ada@acme.example' },
        BillAddr: { Line1: 'Acme GmbH', Line2: 'Hauptstraße 1', Line3: '10115 Berlin', Line4: 'Germany' },
        CurrencyRef: { value: 'EUR' },
      }),
    );
  });

  test('leaves out what is empty, and an e-mail address that QuickBooks would refuse', () => {
    const body = customerBody({
      ...draft,
      contactName: ' ',
      email: 'ada@localhost',
      billingAddress: '\n',
      currency: undefined,
    });
    expect(Object.keys(JSON.parse(body))).toEqual(['DisplayName', 'CompanyName', 'PrintOnCheckName']);
  });

  test('cuts names to what QuickBooks takes', () => {
    const body = JSON.parse(
      customerBody({ ...draft, organizationName: 'x'.repeat(300), contactName: 'y'.repeat(200) }),
    );
    expect(body.GivenName).toBe('y'.repeat(100));
    expect(body.CompanyName).toBe('x'.repeat(100));
    expect(body.PrintOnCheckName).toBe('x'.repeat(110));
  });
});

describe('an address in lines', () => {
  test('more than five lines are joined into the last', () => {
    expect(freeFormAddress('a\nb\nc\nd\ne\nf\ng')).toEqual({
      Line1: 'a',
      Line2: 'b',
      Line3: 'c',
      Line4: 'd',
      Line5: 'e, f, g',
    });
  });

  test('nothing to print is no address', () => {
    expect(freeFormAddress(' \r\n\t')).toBeUndefined();
  });

  test('a long tail flows through the lines instead of being lost', () => {
    const words = Array.from({ length: 240 }, (_, index) => `word${index}`).join(' ');
    const lines = Object.values(freeFormAddress(`a\nb\nc\nd\n${words}`) ?? {});
    expect(lines.join(' ')).toBe(`a, b, c, d, ${words}`);
    expect(lines.every((line) => line.length <= 500)).toBe(true);
  });

  test('whatever the text, QuickBooks’ limits hold and an address within them keeps every word', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 120 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (given) => {
        const lines = Object.values(freeFormAddress(given.join('\n')) ?? {});
        expect(lines.every((text) => text.length >= 1 && text.length <= 500)).toBe(true);
        expect(lines.join('').length).toBeLessThanOrEqual(2000);
        const words = (text: string) => text.split(/[\s\p{Cc},]+/u).filter(Boolean);
        if (given.join('').length < 400) expect(words(lines.join(' '))).toEqual(words(given.join(' ')));
      }),
    );
  });
});

describe('customers as QuickBooks describes them', () => {
  const recorded =
    '{"Customer":{"Taxable":false,"Balance":0,"CurrencyRef":{"value":"USD","name":"United States Dollar"},"Id":"58","SyncToken":"0","DisplayName":"Acme","Active":true,"SomethingNew":{}},"time":"2026-05-05T02:08:54.543-07:00"}';

  test('a created one', () => {
    expect(readCustomer(JSON.parse(recorded))).toEqual({
      externalId: '58',
      displayName: 'Acme',
      active: true,
      currency: 'USD',
    });
  });

  test('found ones, also those without a currency', () => {
    const json = {
      QueryResponse: { Customer: [{ Id: '1', DisplayName: 'A (deleted)', Active: false }], maxResults: 1 },
    };
    expect(readCustomers(json)).toEqual([
      { externalId: '1', displayName: 'A (deleted)', active: false, currency: undefined },
    ]);
  });

  test('none found is an empty list, and another document is none', () => {
    expect(readCustomers({ QueryResponse: {}, time: 'x' })).toEqual([]);
    expect(readCustomers({ Customer: [] })).toBeUndefined();
    expect(readCustomer({ Customer: { Id: '1' } })).toBeUndefined();
  });

  test('the search asks for all names, inactive customers included, in one request', () => {
    expect(findCustomersCall(["Amy's", 'B']).query).toEqual({
      query: "select * from Customer where DisplayName in ('Amy\\'s', 'B') and Active in (true, false) maxresults 1000",
    });
  });
});
