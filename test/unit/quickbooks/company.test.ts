import { describe, expect, test } from '@jest/globals';
import {
  findServicesItemCall,
  readCompanyName,
  readPreferences,
  readServicesItem,
} from '../../../src/infrastructure/quickbooks/company.js';

describe('what is read of a company', () => {
  test('its name', () => {
    expect(readCompanyName({ CompanyInfo: { CompanyName: 'Conf Inc', Id: '1', Country: 'US' }, time: 'x' })).toBe(
      'Conf Inc',
    );
    expect(readCompanyName({ CompanyInfo: {} })).toBeUndefined();
  });

  test('its preferences, with a default item', () => {
    const json = {
      Preferences: {
        SalesFormsPrefs: { CustomTxnNumbers: true, DefaultItem: { value: '7', name: 'Tickets' }, AllowDeposit: true },
        CurrencyPrefs: { MultiCurrencyEnabled: true, HomeCurrency: { value: 'EUR' } },
      },
    };
    expect(readPreferences(json)).toEqual({
      homeCurrency: 'EUR',
      multiCurrency: true,
      customDocumentNumbers: true,
      defaultItemId: '7',
    });
  });

  test('its preferences, with as little as QuickBooks may send', () => {
    expect(readPreferences({ Preferences: { CurrencyPrefs: { HomeCurrency: { value: 'USD' } } } })).toEqual({
      homeCurrency: 'USD',
      multiCurrency: false,
      customDocumentNumbers: false,
      defaultItemId: undefined,
    });
  });

  test('a default item that is written as a bare id', () => {
    const json = {
      Preferences: { SalesFormsPrefs: { DefaultItem: '3' }, CurrencyPrefs: { HomeCurrency: { value: 'USD' } } },
    };
    expect(readPreferences(json)?.defaultItemId).toBe('3');
  });

  test('preferences without a home currency cannot be understood', () => {
    expect(readPreferences({ Preferences: { CurrencyPrefs: {} } })).toBeUndefined();
    expect(readPreferences({ Preferences: { CurrencyPrefs: { HomeCurrency: { value: '?' } } } })).toBeUndefined();
  });

  test('the item named Services, not a category of that name, and rather not one inside a category', () => {
    expect(findServicesItemCall.query).toEqual({
      query: "select * from Item where Name = 'Services' and Active = true maxresults 1000",
    });
    const items = [
      { Id: '2', Type: 'Category', FullyQualifiedName: 'Services' },
      { Id: '9', Type: 'Service', FullyQualifiedName: 'Events:Services' },
      { Id: '1', Type: 'Service', FullyQualifiedName: 'Services' },
    ];
    expect(readServicesItem({ QueryResponse: { Item: items } })).toEqual({ id: '1' });
    expect(readServicesItem({ QueryResponse: { Item: items.slice(0, 2) } })).toEqual({ id: '9' });
    expect(readServicesItem({ QueryResponse: { Item: items.slice(0, 1) } })).toEqual({ id: undefined });
    expect(readServicesItem({ QueryResponse: {} })).toEqual({ id: undefined });
    expect(readServicesItem({})).toBeUndefined();
  });
});
