import { z } from 'zod';
import { newCompany } from '../books/seed.js';
import { Work } from '../books/work.js';
import { companySettingsSchema } from '../company-settings.js';
import { presentCreditMemo } from '../entities/credit-memos.js';
import { presentCustomer } from '../entities/customers.js';
import { presentItem, presentVendor } from '../entities/items.js';
import { presentInvoice } from '../entities/present-invoice.js';
import { presentPayment } from '../entities/present-payment.js';
import { queryOf } from '../http/serve.js';
import { isObject } from '../json.js';
import type { Simulation } from '../simulation.js';
import { type AddRoute, ControlError, companyOf } from './control-route.js';

/** The companies, their switches and their books. */
export function companyRoutes(simulation: Simulation, add: AddRoute): void {
  add('get', '/companies', () => ({
    companies: [...simulation.companies.values()].map((company) => company.settings),
  }));
  add('post', '/companies', (body) => {
    const settings = companySettingsSchema.parse(body);
    if (simulation.companies.has(settings.realmId)) throw new ControlError(409, 'this realm id is taken');
    simulation.companies.set(settings.realmId, newCompany(settings));
    simulation.changed();
    return settings;
  });
  add('patch', '/companies/:realmId', (body, request) => {
    const company = companyOf(simulation, z.string().parse(request.params.realmId));
    const changes = z.custom(isObject, 'must be an object').parse(body);
    const { realmId } = company.settings;
    company.settings = companySettingsSchema.parse({ ...company.settings, ...(changes as object), realmId });
    for (const item of company.books.items.values()) {
      if (item.form.Name === 'Services') item.form.Active = !company.settings.withoutServicesItem;
    }
    simulation.changed();
    return company.settings;
  });
  add('post', '/forget-requestids', () => {
    for (const company of simulation.companies.values()) company.books.answered.clear();
    simulation.changed();
  });
  add('get', '/books', (_body, request) => dump(simulation, queryOf(request).get('realmId') ?? ''));
}

/** Everything in one company's books, for whoever audits the outcome of a run. */
function dump(simulation: Simulation, realmId: string): object {
  const work = new Work(companyOf(simulation, realmId), simulation.clock.now());
  const { books } = work;
  return {
    realmId,
    customers: [...books.customers.values()].map((customer) => presentCustomer(work, customer)),
    vendors: [...books.vendors.values()].map((vendor) => presentVendor(work, vendor)),
    items: [...books.items.values()].map((item) => presentItem(work, item)),
    invoices: [...books.invoices.values()].map((invoice) => presentInvoice(work, invoice, { withLink: true })),
    payments: [...books.payments.values()].map((payment) => presentPayment(work, payment)),
    creditMemos: [...books.creditMemos.values()].map((memo) => presentCreditMemo(work, memo)),
    deleted: books.tombstones.map(({ entity, id }) => ({ entity, id })),
  };
}
