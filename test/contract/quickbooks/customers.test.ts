import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { faultOf, must, Target, uniqueName } from './target.js';

let target: Target;
beforeAll(async () => {
  target = await Target.reach();
});
afterAll(() => target.leave());

describe('A customer', () => {
  test('is created with what was sent, at sync token 0, and read back the same', async () => {
    const DisplayName = uniqueName();
    const created = await target.customer({
      DisplayName,
      CompanyName: 'Contract Ltd',
      GivenName: 'Ada Lovelace',
      PrimaryEmailAddr: { Address: 'ada@example.com' },
      BillAddr: { Line1: '1 Contract Road', City: 'Mountain View', PostalCode: '94043' },
    });
    expect(created).toMatchObject({
      DisplayName,
      FullyQualifiedName: DisplayName,
      CompanyName: 'Contract Ltd',
      GivenName: 'Ada Lovelace',
      PrimaryEmailAddr: { Address: 'ada@example.com' },
      BillAddr: { Line1: '1 Contract Road', City: 'Mountain View', PostalCode: '94043' },
      Active: true,
      Balance: 0,
      SyncToken: '0',
      CurrencyRef: { value: await target.homeCurrency() },
    });
    expect(created.Id).toMatch(/^\d+$/);
    expect((await target.read('customer', created.Id)).DisplayName).toBe(DisplayName);
  });

  test('cannot have the name of another, in whatever case', async () => {
    const { DisplayName } = await target.customer();
    const CurrencyRef = { value: await target.homeCurrency() };
    for (const name of [DisplayName, DisplayName.toUpperCase()]) {
      const refused = await target.post('/customer', { DisplayName: name, CurrencyRef });
      expect(faultOf(refused)).toEqual([400, '6240', 'ValidationFault']);
    }
    expect(await target.rows('Customer', `select * from Customer where DisplayName = '${DisplayName}'`)).toHaveLength(
      1,
    );
  });

  test('is changed by a sparse update: the rest stays, the sync token moves, and the one before is stale', async () => {
    const { Id, DisplayName } = await target.customer({ CompanyName: 'Before' });
    const sparse = { Id, SyncToken: '0', sparse: true };
    const changed = must(await target.post('/customer', { ...sparse, CompanyName: 'After' })).Customer;
    expect(changed).toMatchObject({ Id, DisplayName, CompanyName: 'After', SyncToken: '1' });
    const stale = await target.post('/customer', { ...sparse, CompanyName: 'Too late' });
    expect(faultOf(stale)).toEqual([400, '5010', 'ValidationFault']);
    expect((await target.read('customer', Id)).CompanyName).toBe('After');
  });

  test('that is deactivated gives its name free and hides from lists that do not ask for it', async () => {
    const { Id, DisplayName } = await target.customer();
    await target.post('/customer', { Id, SyncToken: '0', sparse: true, Active: false });
    const byId = `select * from Customer where Id = '${Id}'`;
    expect(await target.rows('Customer', byId)).toEqual([]);
    const [hidden] = await target.rows('Customer', `${byId} and Active in (true, false)`);
    expect(hidden).toMatchObject({ Id, Active: false, DisplayName: `${DisplayName} (deleted)` });
    const successor = await target.customer({ DisplayName });
    expect(successor.Id).not.toBe(Id);
  });

  test('that is not there is answered with 400 and 610', async () => {
    expect(faultOf(await target.get('/customer/999999999'))).toEqual([400, '610', 'ValidationFault']);
  });
});
