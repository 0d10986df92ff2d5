import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Target } from './target.js';

let target: Target;
beforeAll(async () => {
  target = await Target.reach();
});
afterAll(() => target.leave());

const isMoment = (text: unknown) => typeof text === 'string' && !Number.isNaN(Date.parse(text)) && !text.endsWith('Z');

describe('An answer', () => {
  test('wraps the object under its name, with the time in a zone that is written out', async () => {
    const { status, headers, body } = await target.get(`/companyinfo/${target.realmId}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('intuit_tid') ?? headers.get('intuit-tid')).not.toBeNull();
    expect(isMoment(body.time)).toBe(true);
    expect(body.CompanyInfo).toMatchObject({
      CompanyName: expect.any(String),
      Id: '1',
      domain: 'QBO',
      sparse: false,
    });
    expect(isMoment(body.CompanyInfo.MetaData.CreateTime)).toBe(true);
  });

  test('about the preferences names what the adapter decides by', async () => {
    const { Preferences } = (await target.get('/preferences')).body;
    expect(Preferences.SalesFormsPrefs.CustomTxnNumbers).toEqual(expect.any(Boolean));
    expect(Preferences.CurrencyPrefs.HomeCurrency.value).toMatch(/^[A-Z]{3}$/);
  });

  test('is XML when JSON is not asked for by name, faults included', async () => {
    const found = await target.get('/preferences', { accept: '*/*' });
    expect(found.headers.get('content-type')).toMatch(/xml/);
    const missing = await target.get('/invoice/999999999', { accept: 'application/xml' });
    expect(missing.status).toBe(400);
    expect(missing.text).toMatch(/<Fault type="ValidationFault"><Error code="610"/);
  });

  test('to a token that nobody issued comes from the gateway: 401, 3200, in lower case', async () => {
    const { status, body } = await target.get('/preferences', { authorization: `Bearer ${'x'.repeat(60)}` });
    expect(status).toBe(401);
    expect(body.fault.type).toMatch(/^AUTHENTICATION$/i);
    expect(body.fault.error[0].code).toMatch(/^0*3200$/);
    expect(body).not.toHaveProperty('Fault');
  });
});
