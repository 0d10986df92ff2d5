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
    collected: 'VIEWER',
    conference: 'PORTAL',
    conferences: 'PORTAL',
    node: 'PORTAL',
    nodes: 'PORTAL',
    outstandingByOrganization: 'VIEWER',
    purchaseOrder: 'PORTAL',
    purchaseOrders: 'PORTAL',
    receivables: 'VIEWER',
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

/** Of the fields of an object. `AS_OBJECT`: whoever sees the object sees the field. */
export type ObjectRules = Readonly<Record<string, Access | 'AS_OBJECT'>>;

function asObject(names: string): Record<string, 'AS_OBJECT'> {
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, 'AS_OBJECT']),
  );
}

/**
 * Every field of every other object type; who adds one decides here who sees it. To those who may not see a field it is
 * null. Connections and edges, known by their fields, need no rule: they only carry what has one.
 */
export const OBJECT_TYPES: Readonly<Record<string, ObjectRules>> = {
  Actor: asObject('id kind name'),
  ApiKey: asObject(
    'administrator createdAt createdBy createdById expiresAt id lastUsedAt name prefix purchaseOrder revokedAt roles',
  ),
  ApiKeyRole: asObject('conference endedAt role'),
  Attention: asObject('code message since'),
  BulkInvoicing: asObject('createdAt failed finishedAt id items pending requestedBy succeeded total'),
  BulkInvoicingItem: asObject('error invoice position purchaseOrder state'),
  Collected: asObject('amount count method month'),
  Conference: {
    ...asObject('currencyCode endDate id letterhead name purchaseOrders slug startDate timezone'),
    qboConnection: 'VIEWER',
    stripeConnection: 'VIEWER',
  },
  CreditNote: asObject('amount createdAt id reason reversedBy source'),
  CreditNoteReversal: { ...asObject('createdAt id'), reason: 'VIEWER' },
  FactChange: asObject('after before field'),
  Invoice: {
    ...asObject('balance createdAt emailStatus externalId id isLive lastSyncedAt number payUrl provider status total'),
    history: 'VIEWER',
    url: 'VIEWER',
  },
  InvoiceEvent: asObject('action actor at by message'),
  LineItem: asObject('description id lineTotal quantity unitPrice'),
  Money: asObject('amount currencyCode'),
  OrganizationBalance: asObject('amount count organizationName'),
  PageInfo: asObject('endCursor hasNextPage hasPreviousPage startCursor'),
  Payment: { ...asObject('amount createdAt id method paidOn reference reversedBy source'), note: 'VIEWER' },
  PaymentReversal: { ...asObject('createdAt id'), reason: 'VIEWER' },
  PurchaseOrder: {
    ...asObject(`
      balanceDue billingAddress buyerReference conference contactEmail contactName createdAt creditNotes
      currencyCode dueDate id invoice invoices lineItems organizationName payments pdfPath qboInvoice qboInvoiceId
      reference status stripeInvoice stripeInvoiceId stripeInvoiceUrl subtotal total totalCredited totalPaid
      updatedAt
    `),
    attention: 'VIEWER',
    history: 'VIEWER',
    notes: 'VIEWER',
    qboInvoiceUrl: 'VIEWER',
  },
  PurchaseOrderChange: asObject('at cursor purchaseOrder'),
  PurchaseOrderEvent: asObject(
    'action actor at changes position provider providerInvoiceId providerPaymentIds providerRequestId',
  ),
  QboConnection: asObject(`
    accessTokenExpiresAt companyName environment lastSweptAt nextSweepAt readsPausedUntil realmId
    refreshTokenExpiresAt refreshTokenHardExpiresAt serviceItemId status usage writesPausedUntil
  `),
  QboInvoice: {
    ...asObject('balance docNumber emailStatus id lastSyncedAt payUrl status total'),
    syncToken: 'VIEWER',
    url: 'VIEWER',
  },
  QboUsage: asObject('month reads writes'),
  ReceivableBucket: asObject('age amount count'),
  Receivables: asObject('buckets count currencyCode total'),
  StripeConnection: asObject(
    'accountId accountName daysUntilDue id liveMode publishableKey status sweptUntil webhookPath',
  ),
  StripeInvoice: {
    ...asObject('balance emailStatus id isDisputed lastSyncedAt number payUrl processing refunded status total'),
    url: 'VIEWER',
  },
  WebhookEvent: asObject(
    'attempts entity entityId id lastError nextAttemptAt occurredAt operation processedAt provider realmId receivedAt state',
  ),

  // What mutations answer, to whoever may call them.
  CancelPurchaseOrderPayload: asObject('purchaseOrder userErrors'),
  ConfigureQboConnectionPayload: asObject('conference userErrors'),
  ConfigureStripePayload: asObject('conference userErrors'),
  CreateApiKeyPayload: asObject('apiKey secret userErrors'),
  CreateConferencePayload: asObject('conference userErrors'),
  CreatePurchaseOrderPayload: asObject('purchaseOrder userErrors'),
  CreateQboInvoicePayload: asObject('purchaseOrder userErrors'),
  CreateQboInvoicesPayload: asObject('bulkInvoicing userErrors'),
  CreateStripeInvoicePayload: asObject('purchaseOrder userErrors'),
  IssueCreditNotePayload: asObject('creditNote purchaseOrder userErrors'),
  ReconcileQboConnectionPayload: asObject('conference invoicesChanged invoicesChecked userErrors'),
  RecordPaymentPayload: asObject('payment purchaseOrder userErrors'),
  ReplayWebhookEventsPayload: asObject('events hasMore userErrors'),
  ReversePaymentPayload: asObject('payment purchaseOrder userErrors'),
  RevokeApiKeyPayload: asObject('apiKey ended userErrors'),
  SendPurchaseOrderPayload: asObject('purchaseOrder userErrors'),
  SendQboInvoicePayload: asObject('purchaseOrder userErrors'),
  SendStripeInvoicePayload: asObject('purchaseOrder userErrors'),
  SwitchInvoiceProviderPayload: asObject('purchaseOrder userErrors'),
  SyncQboInvoiceStatusPayload: asObject('purchaseOrder userErrors'),
  SyncStripeInvoiceStatusPayload: asObject('purchaseOrder userErrors'),
  UpdateConferencePayload: asObject('conference userErrors'),
};

/** Of whatever implements `UserError`: texts for who made the request, and what the provider said to it. */
export const USER_ERROR = asObject(
  'code message path expectedTotal faultCode intuitTid invoiceId invoiceTotal requestId statusCode stripeCode',
);
