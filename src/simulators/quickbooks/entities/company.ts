import type { Work } from '../books/work.js';
import { currencyOf } from '../currencies.js';
import { metaTime } from '../dates.js';
import { type JsonObject, withoutEmpty } from '../json.js';

const COMPANY_CREATED = metaTime(Date.UTC(2026, 0, 5, 17, 0, 0));
const envelope = {
  domain: 'QBO',
  sparse: false,
  // Recorded: the id is 1 although the path names the realm.
  Id: '1',
  SyncToken: '0',
  MetaData: { CreateTime: COMPANY_CREATED, LastUpdatedTime: COMPANY_CREATED },
};

export function presentCompanyInfo(work: Work): JsonObject {
  const { companyName, country, timezone, subscriptionEnded } = work.settings;
  return {
    CompanyName: companyName,
    LegalName: companyName,
    CompanyAddr: { Id: '1', Line1: '123 Simulator Way', City: 'Mountain View', CountrySubDivisionCode: 'CA' },
    Country: country,
    FiscalYearStartMonth: 'January',
    SupportedLanguages: 'en',
    DefaultTimeZone: timezone,
    NameValue: [
      { Name: 'SubscriptionStatus', Value: subscriptionEnded ? 'EXPIRED' : 'PAID' },
      { Name: 'OfferingSku', Value: 'QuickBooks Online Plus' },
    ],
    ...envelope,
  };
}

export function presentPreferences(work: Work): JsonObject {
  const { settings } = work;
  return {
    // The key is absent while the books are open.
    AccountingInfoPrefs: withoutEmpty({ CustomerTerminology: 'Customers', BookCloseDate: settings.bookCloseDate }),
    SalesFormsPrefs: withoutEmpty({
      CustomTxnNumbers: settings.customTxnNumbers,
      AllowDeposit: settings.allowDeposit,
      AllowDiscount: false,
      ETransactionPaymentEnabled: settings.onlinePayments,
      DefaultItem: settings.defaultItemId == null ? undefined : { value: settings.defaultItemId },
      AutoApplyCredit: settings.autoApplyCredit,
    }),
    CurrencyPrefs: {
      MultiCurrencyEnabled: settings.multiCurrency,
      HomeCurrency: { value: settings.homeCurrency, name: currencyOf(settings.homeCurrency).name },
    },
    TaxPrefs: { UsingSalesTax: settings.salesTaxPercent != null, PartnerTaxEnabled: settings.salesTaxPercent != null },
    OtherPrefs: { NameValue: [] },
    ...envelope,
  };
}
