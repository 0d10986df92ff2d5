/** Ids of objects that exist, for the examples to begin with. */
export interface ExampleIds {
  readonly conferenceId?: string;
  readonly purchaseOrderId?: string;
}

export interface ExampleOperation {
  readonly name: string;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** The operations the IDE opens with: a day's work in the order in which a person would try it. */
export function exampleOperations(
  { conferenceId = '<id of a conference>', purchaseOrderId = '<id of a purchase order>' }: ExampleIds,
  today = new Date(),
): ExampleOperation[] {
  const year = today.getUTCFullYear();
  return [
    {
      name: 'Create a purchase order',
      query: CREATE,
      variables: {
        input: {
          conferenceId,
          organizationName: 'Example Ltd',
          contactEmail: 'accounts@example.com',
          lineItems: [
            { description: 'Conference ticket', quantity: 2, unitPrice: '499.00' },
            { description: 'Silver sponsorship', quantity: 1, unitPrice: '477.00' },
          ],
        },
      },
    },
    { name: 'Invoice it', query: INVOICE, variables: { input: { purchaseOrderId } } },
    { name: 'E-mail the invoice', query: SEND, variables: { input: { purchaseOrderId } } },
    { name: 'Through Stripe instead', query: SWITCH, variables: { input: { purchaseOrderId, provider: 'STRIPE' } } },
    { name: 'Watch it', query: WATCH, variables: { id: purchaseOrderId } },
    { name: 'What was paid?', query: PAYMENTS, variables: { id: purchaseOrderId } },
    {
      name: 'A cheque came',
      query: CHEQUE,
      variables: { input: { purchaseOrderId, amount: '100.00', method: 'CHECK', reference: '1042' } },
    },
    {
      name: 'A credit note',
      query: CREDIT,
      variables: { input: { purchaseOrderId, amount: '47.70', reason: 'A tenth off the sponsorship' } },
    },
    { name: 'Cancel it', query: CANCEL, variables: { input: { purchaseOrderId } } },
    { name: 'What happened to it?', query: HISTORY, variables: { id: purchaseOrderId } },
    { name: 'Invoice many at once', query: BULK, variables: { input: { purchaseOrderIds: [purchaseOrderId] } } },
    { name: 'What came of them?', query: BULK_RESULTS, variables: { id: '<id of the bulk, from the tab before>' } },
    { name: 'Who is late?', query: LATE, variables: { conferenceId } },
    {
      name: 'The books',
      query: BOOKS,
      variables: { conferenceId, from: `${year}-01-01`, to: `${year}-12-31` },
    },
    { name: 'What got stuck?', query: DEAD_LETTERS, variables: {} },
    {
      name: 'A new conference',
      query: CONFERENCE,
      variables: {
        input: {
          name: `Example Conference ${year + 1}`,
          slug: `example-${year + 1}`,
          currencyCode: 'EUR',
          timezone: 'Europe/Berlin',
        },
      },
    },
    {
      name: 'A key for a colleague',
      query: KEY,
      variables: { input: { name: 'A colleague in finance', roles: [{ conferenceId, role: 'FINANCE' }] } },
    },
    // The IDE opens with its last tab in front.
    { name: 'Start here', query: LOOK_AROUND, variables: {} },
  ];
}

const LOOK_AROUND = `# Who owes what? Press Ctrl-Enter to run.
query LookAround {
  conferences {
    nodes {
      id
      name
      currencyCode
      qboConnection { companyName status }
      stripeConnection { accountName liveMode status }
      purchaseOrders(first: 10) {
        totalCount
        nodes { id reference status organizationName total { amount currencyCode } balanceDue { amount } }
      }
    }
  }
}
`;

const CREATE = `# Then reload this page: the other tabs are about the newest order without an invoice.
mutation CreatePurchaseOrder($input: CreatePurchaseOrderInput!) {
  createPurchaseOrder(input: $input) {
    purchaseOrder { id reference status total { amount currencyCode } lineItems { description lineTotal { amount } } }
    userErrors { code message path }
  }
}
`;

const INVOICE = `# Creates the invoice in QuickBooks. Run it twice: there will still be one.
# It is about the order whose id stands under VARIABLES below: open that and put in another one.
mutation CreateQboInvoice($input: CreateQboInvoiceInput!) {
  createQboInvoice(input: $input) {
    purchaseOrder { id reference status qboInvoice { id docNumber status url total { amount } balance { amount } } }
    userErrors { code message invoiceId faultCode statusCode intuitTid }
  }
}
`;

const SEND = `mutation SendQboInvoice($input: SendQboInvoiceInput!) {
  sendQboInvoice(input: $input) {
    purchaseOrder { reference qboInvoice { id emailStatus payUrl } }
    userErrors { code message }
  }
}
`;

const SWITCH = `# Voids the unpaid invoice in QuickBooks and creates one in Stripe, for an order without one simply that. Then e-mail it with
#   mutation { sendStripeInvoice(input: { purchaseOrderId: "…" }) { purchaseOrder { stripeInvoiceUrl } userErrors { code message } } }
mutation SwitchInvoiceProvider($input: SwitchInvoiceProviderInput!) {
  switchInvoiceProvider(input: $input) {
    purchaseOrder { id reference status invoice { provider number status payUrl total { amount } balance { amount } } }
    userErrors { code message invoiceId stripeCode statusCode requestId }
  }
}
`;

const BULK = `# Up to 200 orders. Answers at once and invoices them in the background: what came of each is in the next tab.
mutation CreateQboInvoices($input: CreateQboInvoicesInput!) {
  createQboInvoices(input: $input) {
    bulkInvoicing { id total pending }
    userErrors { code message path }
  }
}
`;

const BULK_RESULTS = `# An order that has an invoice already keeps that one. Only what failed: items(filter: { stateIn: [FAILED] })
query WhatCameOfThem($id: ID!) {
  bulkInvoicing(id: $id) {
    total
    pending
    succeeded
    failed
    finishedAt
    items(first: 50) {
      nodes { position state purchaseOrder { id reference } invoice { number status } error { code message } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`;

const HISTORY = `# Who changed what, newest first, and what became of every invoice that the order has or had.
query WhatHappened($id: ID!) {
  purchaseOrder(id: $id) {
    reference
    history(first: 20) {
      nodes { at action actor { name kind } changes { field before after } provider providerInvoiceId providerRequestId }
    }
    invoices {
      nodes { provider number status isLive total { amount currencyCode } history { at action actor { name } message } }
    }
  }
}
`;

const PAYMENTS = `# Pay the invoice at its provider (the simulators' controls: see README.md), then run this again.
query WhatWasPaid($id: ID!) {
  purchaseOrder(id: $id) {
    reference
    status
    total { amount currencyCode }
    totalPaid { amount }
    balanceDue { amount }
    payments { nodes { amount { amount } method reference paidOn source reversedBy { reason } } }
    attention { code since message }
  }
}
`;

const CHEQUE = `# Money that came outside of the providers. With an idempotencyKey a repetition books nothing.
mutation RecordPayment($input: RecordPaymentInput!) {
  recordPayment(input: $input) {
    payment { id amount { amount currencyCode } method reference paidOn }
    userErrors { code message path }
  }
}
`;

const CREDIT = `# Lowers what an order without a live invoice owes. An invoiced one gets its credit at the provider, and shows it by itself.
mutation IssueCreditNote($input: IssueCreditNoteInput!) {
  issueCreditNote(input: $input) {
    creditNote { id amount { amount currencyCode } reason }
    purchaseOrder { reference status totalCredited { amount } balanceDue { amount } }
    userErrors { code message path }
  }
}
`;

const CANCEL = `# For good, and after voiding its unpaid invoice. Money received has to be reversed or refunded first.
mutation CancelPurchaseOrder($input: CancelPurchaseOrderInput!) {
  cancelPurchaseOrder(input: $input) {
    purchaseOrder { reference status invoice { provider number status } }
    userErrors { code message invoiceId }
  }
}
`;

const LATE = `# Overdue orders, those with the earliest due date first. Other filters and orderings: see the documentation beside.
query WhoIsLate($conferenceId: ID!) {
  purchaseOrders(
    conferenceId: $conferenceId
    filter: { isOverdue: true }
    orderBy: { field: DUE_DATE, direction: ASC }
  ) {
    nodes { id reference organizationName contactEmail dueDate balanceDue { amount currencyCode } invoice { payUrl } }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const BOOKS = `# What is due by age and by organisation, and what was collected.
query TheBooks($conferenceId: ID!, $from: Date!, $to: Date!) {
  receivables(conferenceId: $conferenceId) {
    currencyCode
    total { amount }
    buckets { age count amount { amount } }
  }
  outstandingByOrganization(conferenceId: $conferenceId, first: 10) {
    nodes { organizationName count amount { amount currencyCode } }
  }
  collected(conferenceId: $conferenceId, from: $from, to: $to) { month method count amount { amount currencyCode } }
}
`;

const CONFERENCE = `# Then connect it with configureQboConnection or configureStripe, and make keys for those who work for it.
mutation CreateConference($input: CreateConferenceInput!) {
  createConference(input: $input) {
    conference { id slug name currencyCode timezone }
    userErrors { code message path }
  }
}
`;

const KEY = `# The secret is shown this once. Roles are VIEWER, FINANCE and ORGANISER; a buyer portal gets one purchaseOrderId instead.
mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    secret
    apiKey { id name prefix expiresAt roles { role } }
    userErrors { code message path }
  }
}
`;

const DEAD_LETTERS = `# Notifications that could not be worked off. Remove the cause, then have them tried again with
#   mutation { replayWebhookEvents(input: { deadOfRealmId: "…" }) { events { id state } hasMore userErrors { message } } }
query WhatGotStuck {
  webhookEvents(filter: { stateIn: [DEAD] }, first: 20) {
    totalCount
    nodes { id realmId entity entityId operation attempts lastError receivedAt }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const WATCH = `# Stays open: pay the invoice, and see the order change here. Send \`cursor\` as \`after\` to go on where you were.
subscription Watch($id: ID!) {
  purchaseOrderChanged(id: $id) {
    cursor
    at
    purchaseOrder { reference status totalPaid { amount } balanceDue { amount } attention { code message } }
  }
}
`;
