import type { JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { type Endpoint, endpoint } from './endpoint.js';

export const accountEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/account', { takes: {}, returns: 'account', run: presentAccount }),
];

function presentAccount({ settings }: Work): JsonObject {
  return {
    id: settings.accountId,
    object: 'account',
    business_profile: {
      annual_revenue: null,
      estimated_worker_count: null,
      mcc: null,
      name: settings.name,
      support_address: null,
      support_email: null,
      support_phone: null,
      support_url: null,
      url: null,
    },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active', us_bank_account_ach_payments: 'active' },
    charges_enabled: true,
    controller: { type: 'account' },
    country: settings.country,
    default_currency: settings.defaultCurrency,
    details_submitted: true,
    email: null,
    metadata: {},
    payouts_enabled: true,
    settings: { dashboard: { display_name: settings.name, timezone: 'Etc/UTC' } },
    type: 'standard',
  };
}
