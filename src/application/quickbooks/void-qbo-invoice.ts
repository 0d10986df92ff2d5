import type { VoidingProvider } from '../invoicing/void-invoice.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { applyReading } from './record-invoice.js';
import { syncInvoice } from './sync-invoices.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type VoidQboCode = ProviderCode | ConnectionCode;

/** Voids in QuickBooks name the version that was seen last, so that QuickBooks refuses them once money arrived. */
export function qboVoiding(context: QboContext): VoidingProvider<ProviderInvoice, QboFailure<VoidQboCode>> {
  const { accounting } = context;
  return {
    provider: 'QBO',
    checksVersion: true,
    usable: (order, invoice) => usableConnection(context, order, invoice),
    prepare: ({ externalId, syncToken }) => accounting.prepareVoid(String(externalId), String(syncToken)),
    send: (connectionId, body, key) => accounting.voidInvoice(connectionId, body, key),
    isVoid: ({ voided }) => voided,
    apply: (tx, voided) => applyReading(tx, context, voided),
    sync: (invoiceId) => syncInvoice(context, invoiceId),
    describe: describeProviderFailure,
  };
}
