import { ApiKey } from '../../domain/access/api-key.entity.js';
import { ApiKeyRole } from '../../domain/access/api-key-role.entity.js';
import { AuditEvent } from '../../domain/audit/audit-event.entity.js';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import { BulkInvoicingItem } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { Conference } from '../../domain/conference/conference.entity.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { ProviderPaymentRecord } from '../../domain/invoice/provider-payment.entity.js';
import { ClientIdempotencyKey } from '../../domain/operation/client-idempotency-key.entity.js';
import { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import { CreditNoteReversal } from '../../domain/purchase-order/credit-note-reversal.entity.js';
import { LineItem } from '../../domain/purchase-order/line-item.entity.js';
import { Payment } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import {
  notePurchaseOrderChange,
  PurchaseOrderChange,
} from '../../domain/purchase-order/purchase-order-change.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { QboCustomer } from '../../domain/quickbooks/qbo-customer.entity.js';
import { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import { QboThrottle } from '../../domain/quickbooks/qbo-throttle.entity.js';
import { QboUsage } from '../../domain/quickbooks/qbo-usage.entity.js';
import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { StripeCustomer } from '../../domain/stripe/stripe-customer.entity.js';
import { WebhookEvent } from '../../domain/webhook/webhook-event.entity.js';

export const entities = [
  ApiKey,
  ApiKeyRole,
  AuditEvent,
  BulkInvoicing,
  BulkInvoicingItem,
  ClientIdempotencyKey,
  Conference,
  CreditNote,
  CreditNoteReversal,
  Invoice,
  LineItem,
  Payment,
  PaymentReversal,
  ProviderOperation,
  ProviderPaymentRecord,
  PurchaseOrder,
  PurchaseOrderChange,
  QboConnection,
  QboCustomer,
  QboSweep,
  QboThrottle,
  QboUsage,
  StripeConnection,
  StripeCustomer,
  WebhookEvent,
];

/** Functions of the database that triggers of several entities call. */
export const routines = [notePurchaseOrderChange];
