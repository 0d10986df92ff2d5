import type { ConferenceRole } from '../../domain/access/grants.js';

/**
 * Who may enter, each including those behind it: a buyer portal, who has this role in any conference, an administrator.
 * Which objects they then see, and may change, is decided where those are read and changed.
 */
export type Access = 'PORTAL' | `${ConferenceRole}` | 'ADMINISTRATOR';

export type FieldRules = Readonly<Record<string, Access>>;

/** Every query, mutation and subscription. One without a rule is refused when the schema is built. */
export const ROOT_FIELDS: Readonly<Record<'Query' | 'Mutation' | 'Subscription', FieldRules>> = {
  Query: {
    apiKeys: 'ORGANISER',
    bulkInvoicing: 'VIEWER',
    conference: 'PORTAL',
    conferences: 'PORTAL',
    node: 'PORTAL',
    nodes: 'PORTAL',
    purchaseOrder: 'PORTAL',
    purchaseOrders: 'PORTAL',
    webhookEvents: 'ADMINISTRATOR',
  },
  Mutation: {
    cancelPurchaseOrder: 'FINANCE',
    configureQboConnection: 'ORGANISER',
    configureStripe: 'ORGANISER',
    createApiKey: 'ORGANISER',
    createConference: 'ADMINISTRATOR',
    createPurchaseOrder: 'FINANCE',
    createQboInvoice: 'FINANCE',
    createQboInvoices: 'FINANCE',
    createStripeInvoice: 'FINANCE',
    issueCreditNote: 'FINANCE',
    reconcileQboConnection: 'ORGANISER',
    recordPayment: 'FINANCE',
    replayWebhookEvents: 'ADMINISTRATOR',
    reversePayment: 'FINANCE',
    revokeApiKey: 'ORGANISER',
    sendPurchaseOrder: 'FINANCE',
    sendQboInvoice: 'FINANCE',
    sendStripeInvoice: 'FINANCE',
    switchInvoiceProvider: 'FINANCE',
    syncQboInvoiceStatus: 'FINANCE',
    syncStripeInvoiceStatus: 'FINANCE',
    updateConference: 'ORGANISER',
  },
  Subscription: {
    bulkInvoicingProgressed: 'VIEWER',
    conferenceActivity: 'VIEWER',
    purchaseOrderChanged: 'PORTAL',
  },
};

/**
 * Every other object type. Whoever sees an object sees its fields, but for those named here: to others they are null.
 * Payloads, user errors, connections and edges need no rule: they only carry what has one.
 */
export const OBJECT_TYPES: Readonly<Record<string, FieldRules>> = {
  Actor: {},
  ApiKey: {},
  ApiKeyRole: {},
  Attention: {},
  BulkInvoicing: {},
  BulkInvoicingItem: {},
  Conference: { qboConnection: 'VIEWER', stripeConnection: 'VIEWER' },
  CreditNote: {},
  CreditNoteReversal: {},
  FactChange: {},
  Invoice: { history: 'VIEWER', url: 'VIEWER' },
  InvoiceEvent: {},
  LineItem: {},
  Money: {},
  PageInfo: {},
  Payment: { note: 'VIEWER' },
  PaymentReversal: {},
  PurchaseOrder: { attention: 'VIEWER', history: 'VIEWER', notes: 'VIEWER', qboInvoiceUrl: 'VIEWER' },
  PurchaseOrderChange: {},
  PurchaseOrderEvent: {},
  QboConnection: {},
  QboInvoice: { syncToken: 'VIEWER', url: 'VIEWER' },
  QboUsage: {},
  StripeConnection: {},
  StripeInvoice: { url: 'VIEWER' },
  WebhookEvent: {},
};
