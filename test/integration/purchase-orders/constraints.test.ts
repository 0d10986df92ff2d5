import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

/** What stands when every line of our code is wrong: the database itself. */
describe('the database refuses', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let serial = 0;
  /** Ids of one order with a line, two payments and two credit notes (one each from QuickBooks) and an invoice. */
  let ids: Record<
    'conf' | 'po' | 'line' | 'pay' | 'qbo' | 'cn' | 'qcn' | 'seen' | 'inv' | 'conn' | 'aud' | 'evt',
    string
  >;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  beforeEach(async () => {
    serial += 1;
    const n = String(serial).padStart(6, '0');
    const name = (prefix: string) => `${prefix}_${n}`;
    ids = {
      conf: name('conf'),
      po: name('po'),
      line: name('line'),
      pay: name('pay'),
      qbo: name('qpay'),
      cn: name('cn'),
      qcn: name('qcn'),
      seen: name('ppay'),
      inv: name('inv'),
      conn: name('qbo'),
      aud: name('aud'),
      evt: name('evt'),
    };
    await insert('qbo_connection', connection());
    await insert('conference', conference());
    await insert('purchase_order', order());
    await insert('line_item', line());
    await insert('payment', payment());
    await insert('payment', providerPayment());
    await insert('credit_note', credit());
    await insert('credit_note', providerCredit());
    await insert('provider_payment', seenPayment());
    await insert('invoice', invoice());
    await insert('audit_event', auditEvent());
    await insert('webhook_event', webhookEvent());
  });

  const NOW = '2026-11-02T10:00:00Z';
  const stamps = { created_at: NOW, updated_at: NOW };
  type Row = Record<string, unknown>;
  const number = () => String(serial).padStart(6, '0');
  const connection = (row: Row = {}) => ({
    id: ids.conn,
    environment: 'SANDBOX',
    realm_id: number(),
    company_name: 'Company',
    status: 'CONNECTED',
    simulated: true,
    access_token: 'sealed',
    refresh_token: 'sealed',
    access_token_expires_at: NOW,
    token_version: 1,
    refresh_fence: 0,
    ...stamps,
    ...row,
  });
  const conference = (row: Row = {}) => ({
    id: ids.conf,
    slug: `conference-${number()}`,
    name: 'Conference',
    timezone: 'UTC',
    currency_code: 'USD',
    qbo_connection_id: ids.conn,
    ...stamps,
    ...row,
  });
  const order = (row: Row = {}) => ({
    id: ids.po,
    conference_id: ids.conf,
    reference: `PO-${number()}`,
    status: 'SENT',
    organization_name: 'Acme',
    contact_email: 'a@b.example',
    contact_name: '',
    billing_address: '',
    notes: '',
    buyer_reference: '',
    currency_code: 'USD',
    total_minor: 1000,
    ...stamps,
    ...row,
  });
  const line = (row: Row = {}) => ({
    id: ids.line,
    purchase_order_id: ids.po,
    position: 0,
    description: 'Ticket',
    quantity: 2,
    unit_price_minor: 500,
    line_total_minor: 1000,
    ...row,
  });
  const payment = (row: Row = {}) => ({
    id: ids.pay,
    purchase_order_id: ids.po,
    amount_minor: 300,
    method: 'WIRE',
    source: 'MANUAL',
    reference: '',
    paid_on: '2026-11-02',
    note: '',
    recorded_by: 'test',
    created_at: NOW,
    ...row,
  });
  const providerPayment = (row: Row = {}) =>
    payment({
      id: ids.qbo,
      method: 'QBO',
      source: 'QBO',
      provider_company: number(),
      provider_payment_id: '7',
      provider_invoice_id: '130',
      revision: 1,
      ...row,
    });
  const reversal = (row: Row = {}) => ({
    id: `rev_${number()}`,
    payment_id: ids.pay,
    reason: 'Wrong order',
    reversed_by: 'test',
    created_at: NOW,
    ...row,
  });
  const credit = (row: Row = {}) => ({
    id: ids.cn,
    purchase_order_id: ids.po,
    amount_minor: 100,
    source: 'MANUAL',
    reason: 'Goodwill',
    issued_by: 'test',
    created_at: NOW,
    ...row,
  });
  const providerCredit = (row: Row = {}) =>
    credit({
      id: ids.qcn,
      source: 'QBO',
      provider_company: number(),
      provider_payment_id: '7',
      provider_invoice_id: '130',
      revision: 1,
      ...row,
    });
  const creditReversal = (row: Row = {}) => ({
    id: `crev_${number()}`,
    credit_note_id: ids.qcn,
    reason: 'Taken off',
    reversed_by: 'test',
    created_at: NOW,
    ...row,
  });
  const seenPayment = (row: Row = {}) => ({
    id: ids.seen,
    provider: 'QBO',
    company_id: number(),
    external_id: '7',
    status: 'STANDING',
    currency_code: 'USD',
    total_minor: 500,
    unapplied_minor: 200,
    unapplied_since: NOW,
    paid_on: '2026-11-02',
    sync_token: '0',
    ...stamps,
    ...row,
  });
  const invoice = (row: Row = {}) => ({
    id: ids.inv,
    purchase_order_id: ids.po,
    provider: 'QBO',
    qbo_connection_id: ids.conn,
    company_id: `SANDBOX:${number()}`,
    status: 'OPEN',
    external_id: '130',
    currency_code: 'USD',
    total_minor: 1000,
    balance_minor: 1000,
    matches_purchase_order: true,
    email_status: 'NOT_SENT',
    reading_recorded: 0,
    ...stamps,
    ...row,
  });
  const auditEvent = (row: Row = {}) => ({
    id: ids.aud,
    actor_id: 'key_1',
    actor: 'test',
    actor_kind: 'API_KEY',
    action: 'purchase_order.created',
    subject: ids.po,
    occurred_at: NOW,
    ...row,
  });
  const webhookEvent = (row: Row = {}) => ({
    id: ids.evt,
    provider: 'QBO',
    event_id: `event-${number()}`,
    company_id: number(),
    entity: 'Payment',
    entity_id: '7',
    operation: 'Create',
    payload: '{}',
    state: 'RECEIVED',
    attempts: 0,
    next_attempt_at: NOW,
    received_at: NOW,
    ...row,
  });

  async function insert(table: string, row: Row): Promise<void> {
    const columns = Object.keys(row);
    const places = columns.map((_column, index) => `$${index + 1}`);
    await client.query(
      `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`,
      Object.values(row).map((value) => value ?? null),
    );
  }

  const TABLES = [
    'conference',
    'purchase_order',
    'line_item',
    'payment',
    'payment_reversal',
    'credit_note',
    'credit_note_reversal',
    'provider_payment',
    'invoice',
    'audit_event',
    'webhook_event',
  ];

  /** Everything in the tables, so that a refused statement can be shown to have changed nothing. */
  async function everything(): Promise<unknown> {
    const rows = [];
    for (const table of TABLES) rows.push((await client.query(`select * from ${table} order by id`)).rows);
    return rows;
  }

  async function refuses(
    attempt: () => Promise<unknown>,
    what: { code: string; constraint?: string; message?: string },
  ) {
    const before = await everything();
    await expect(attempt()).rejects.toMatchObject({
      code: what.code,
      ...(what.constraint && { constraint: what.constraint }),
      ...(what.message && { message: what.message }),
    });
    expect(await everything()).toEqual(before);
  }

  const UNIQUE = '23505';
  const CHECK = '23514';
  const FOREIGN_KEY = '23503';
  const NOT_NULL = '23502';
  const RESTRICT = '23001';

  describe('a second', () => {
    test('live invoice of a purchase order', async () => {
      for (const status of ['CREATING', 'UNKNOWN', 'OPEN', 'PARTIALLY_PAID', 'PAID']) {
        const row = invoice({ id: 'inv_second', external_id: '131', status });
        await refuses(() => insert('invoice', row), {
          code: UNIQUE,
          constraint: 'invoice_one_live_per_purchase_order',
        });
      }
    });

    test('purchase order with the same invoice of a provider', async () => {
      await insert('purchase_order', order({ id: 'po_other_invoice', reference: `PO-X${number().slice(1)}` }));
      const row = invoice({ id: 'inv_stolen', purchase_order_id: 'po_other_invoice' });
      await refuses(() => insert('invoice', row), { code: UNIQUE });
    });

    test('W-C11: booking of the same payment of a provider', async () => {
      const row = providerPayment({ id: 'pay_again', amount_minor: 301, reference: 'other' });
      await refuses(() => insert('payment', row), { code: UNIQUE });
    });

    test('reversal of a payment', async () => {
      await insert('payment_reversal', reversal());
      await refuses(() => insert('payment_reversal', reversal({ id: 'rev_again' })), { code: UNIQUE });
    });

    test('booking of the same credit of a provider', async () => {
      const row = providerCredit({ id: 'cn_again', amount_minor: 301, reason: 'other' });
      await refuses(() => insert('credit_note', row), { code: UNIQUE });
    });

    test('reversal of a credit note', async () => {
      await insert('credit_note_reversal', creditReversal());
      const again = creditReversal({ id: 'crev_again' });
      await refuses(() => insert('credit_note_reversal', again), { code: UNIQUE });
    });

    test('row about the same payment of a provider', async () => {
      await refuses(() => insert('provider_payment', seenPayment({ id: 'ppay_again' })), { code: UNIQUE });
    });

    test('webhook event with the same id', async () => {
      await refuses(() => insert('webhook_event', webhookEvent({ id: 'evt_again' })), { code: UNIQUE });
    });

    test('purchase order with the same reference, even of another conference', async () => {
      await insert('conference', conference({ id: 'conf_other_reference', slug: `other-${number()}` }));
      const row = order({ id: 'po_same_reference', conference_id: 'conf_other_reference' });
      await refuses(() => insert('purchase_order', row), {
        code: UNIQUE,
        constraint: 'purchase_order_reference_unique',
      });
    });

    test('line in the same place', async () => {
      await refuses(() => insert('line_item', line({ id: 'line_again' })), { code: UNIQUE });
    });

    test('conference with the same slug', async () => {
      await refuses(() => insert('conference', conference({ id: 'conf_again' })), { code: UNIQUE });
    });
  });

  test('a new live invoice is accepted once the former one is voided', async () => {
    await client.query("update invoice set status = 'VOIDED' where id = $1", [ids.inv]);
    await insert('invoice', invoice({ id: `inv_next_${number()}`, external_id: '131' }));
    const { rows } = await client.query('select status from invoice where purchase_order_id = $1 order by id', [
      ids.po,
    ]);
    expect(rows).toEqual([{ status: 'VOIDED' }, { status: 'OPEN' }]);
  });

  describe('a payment of a provider', () => {
    test('in its second revision while the first one stands', async () => {
      await refuses(() => insert('payment', providerPayment({ id: 'pay_r2', revision: 2 })), {
        code: RESTRICT,
        message: 'revision 2 of a payment needs revision 1 reversed first',
      });
    });

    test('in its third revision without a second one', async () => {
      await insert('payment_reversal', reversal({ payment_id: ids.qbo }));
      await refuses(() => insert('payment', providerPayment({ id: 'pay_r3', revision: 3 })), { code: RESTRICT });
    });

    test('but takes the second revision after the first was reversed', async () => {
      await insert('payment_reversal', reversal({ payment_id: ids.qbo }));
      await insert('payment', providerPayment({ id: `pay_r2_${number()}`, revision: 2 }));
      const { rows } = await client.query('select revision from payment where provider_company = $1', [number()]);
      expect(rows.map(({ revision }) => revision).sort()).toEqual([1, 2]);
    });

    test.each(['provider_company', 'provider_payment_id', 'provider_invoice_id', 'revision'])(
      'without its %s',
      async (column) => {
        const row = providerPayment({ id: 'pay_partial', provider_payment_id: '8', [column]: null });
        await refuses(() => insert('payment', row), { code: CHECK, constraint: 'payment_provider_identity_check' });
      },
    );

    test('in revision 0', async () => {
      const row = providerPayment({ id: 'pay_r0', provider_payment_id: '8', revision: 0 });
      await refuses(() => insert('payment', row), { code: CHECK });
    });

    test('that claims to be entered by hand', async () => {
      const row = providerPayment({ id: 'pay_manual', provider_payment_id: '8', source: 'MANUAL' });
      await refuses(() => insert('payment', row), { code: CHECK, constraint: 'payment_provider_identity_check' });
    });
  });

  test('nothing about the same payment id, booking and rest, in another company', async () => {
    const company = { provider_company: `other-${number()}` };
    await insert('payment', providerPayment({ id: `pay_company_${number()}`, ...company }));
    await insert('credit_note', providerCredit({ id: `cn_company_${number()}`, ...company }));
    const row = seenPayment({ id: `ppay_company_${number()}`, company_id: `other-${number()}` });
    await insert('provider_payment', row);
    const { rows } = await client.query('select count(*)::int from provider_payment where external_id = $1', ['7']);
    expect(rows[0].count).toBeGreaterThan(1);
  });

  describe('a credit of a provider', () => {
    test('in its second revision while the first one stands', async () => {
      await refuses(() => insert('credit_note', providerCredit({ id: 'cn_r2', revision: 2 })), {
        code: RESTRICT,
        message: 'revision 2 of a credit note needs revision 1 reversed first',
      });
    });

    test('in its third revision without a second one', async () => {
      await insert('credit_note_reversal', creditReversal());
      await refuses(() => insert('credit_note', providerCredit({ id: 'cn_r3', revision: 3 })), { code: RESTRICT });
    });

    test('but takes the second revision after the first was reversed', async () => {
      await insert('credit_note_reversal', creditReversal());
      await insert('credit_note', providerCredit({ id: `cn_r2_${number()}`, revision: 2 }));
      const { rows } = await client.query('select revision from credit_note where provider_company = $1', [number()]);
      expect(rows.map(({ revision }) => revision).sort()).toEqual([1, 2]);
    });

    test.each(['provider_company', 'provider_payment_id', 'provider_invoice_id', 'revision'])(
      'without its %s',
      async (column) => {
        const row = providerCredit({ id: 'cn_partial', provider_payment_id: '8', [column]: null });
        await refuses(() => insert('credit_note', row), {
          code: CHECK,
          constraint: 'credit_note_provider_identity_check',
        });
      },
    );

    test('in revision 0', async () => {
      const row = providerCredit({ id: 'cn_r0', provider_payment_id: '8', revision: 0 });
      await refuses(() => insert('credit_note', row), { code: CHECK });
    });

    test('that claims to be issued by hand', async () => {
      const row = providerCredit({ id: 'cn_manual', provider_payment_id: '8', source: 'MANUAL' });
      await refuses(() => insert('credit_note', row), {
        code: CHECK,
        constraint: 'credit_note_provider_identity_check',
      });
    });

    test('without a source, or from an unknown one', async () => {
      await refuses(() => insert('credit_note', credit({ id: 'cn_source', source: null })), { code: NOT_NULL });
      const row = providerCredit({ id: 'cn_source', provider_payment_id: '8', source: 'XERO' });
      await refuses(() => insert('credit_note', row), { code: CHECK, constraint: 'credit_note_source_check' });
    });

    test('that is taken back without a reason, or that does not exist', async () => {
      await refuses(() => insert('credit_note_reversal', creditReversal({ reason: '' })), { code: CHECK });
      const row = creditReversal({ credit_note_id: 'cn_nothing' });
      await refuses(() => insert('credit_note_reversal', row), { code: FOREIGN_KEY });
    });
  });

  describe('a rest of a payment', () => {
    test.each([
      ['below zero', 'unapplied_minor = -1', 'provider_payment_amounts_valid'],
      ['of a payment below zero', 'total_minor = -1', 'provider_payment_amounts_valid'],
      ['without a time since when', 'unapplied_since = null', 'provider_payment_unapplied_since_check'],
      ['that is nothing, with a time', 'unapplied_minor = 0', 'provider_payment_unapplied_since_check'],
      ['of a deleted payment', "status = 'DELETED'", 'provider_payment_ended_check'],
      ['of a voided payment', "status = 'VOIDED'", 'provider_payment_ended_check'],
      ['in a currency that is no code', "currency_code = 'usd'", 'provider_payment_currency_code_valid'],
      [
        'in an unknown status',
        "status = 'GONE', unapplied_minor = 0, unapplied_since = null",
        'provider_payment_status_check',
      ],
    ])('%s', async (_what, change, constraint) => {
      await refuses(() => client.query(`update provider_payment set ${change} where id = $1`, [ids.seen]), {
        code: CHECK,
        constraint,
      });
    });
  });

  describe('W-C19: changing or deleting', () => {
    test.each([
      ['payment', 'pay', 'amount_minor = 1', 'payments are append-only; insert a payment_reversal'],
      ['payment', 'qbo', "purchase_order_id = 'x'", 'payments are append-only; insert a payment_reversal'],
      ['credit_note', 'cn', 'amount_minor = 1', 'credit notes are append-only'],
      ['audit_event', 'aud', "actor = 'nobody'", 'audit events are append-only'],
    ] as const)('a %s', async (table, id, change, message) => {
      const where = `where id = '${ids[id]}'`;
      await refuses(() => client.query(`update ${table} set ${change} ${where}`), { code: RESTRICT, message });
      await refuses(() => client.query(`delete from ${table} ${where}`), { code: RESTRICT, message });
    });

    test('a reversal', async () => {
      await insert('payment_reversal', reversal());
      const message = 'payment reversals are append-only';
      const where = `where payment_id = '${ids.pay}'`;
      await refuses(() => client.query(`update payment_reversal set reason = 'x' ${where}`), {
        code: RESTRICT,
        message,
      });
      await refuses(() => client.query(`delete from payment_reversal ${where}`), { code: RESTRICT, message });
    });

    test('a reversal of a credit note', async () => {
      await insert('credit_note_reversal', creditReversal());
      const message = 'credit note reversals are append-only';
      const where = `where credit_note_id = '${ids.qcn}'`;
      await refuses(() => client.query(`update credit_note_reversal set reason = 'x' ${where}`), {
        code: RESTRICT,
        message,
      });
      await refuses(() => client.query(`delete from credit_note_reversal ${where}`), { code: RESTRICT, message });
    });
  });

  test.each([
    ['payment', 'payments are append-only; insert a payment_reversal'],
    ['payment_reversal', 'payment reversals are append-only'],
    ['credit_note', 'credit notes are append-only'],
    ['credit_note_reversal', 'credit note reversals are append-only'],
    ['audit_event', 'audit events are append-only'],
  ])('emptying the table %s', async (table, message) => {
    await refuses(() => client.query(`truncate ${table} cascade`), { code: RESTRICT, message });
  });

  test('emptying a table that money refers to', async () => {
    await refuses(() => client.query('truncate purchase_order cascade'), { code: RESTRICT });
  });

  describe('W-C4: an amount of', () => {
    test.each([0, -1, 1_000_000_000_000_000])('%i in a payment', async (amount) => {
      await refuses(() => insert('payment', payment({ id: 'pay_amount', amount_minor: amount })), {
        code: CHECK,
        constraint: 'payment_amount_minor_valid',
      });
    });

    test.each([0, -1, 1_000_000_000_000_000])('%i in a credit note', async (amount) => {
      await refuses(() => insert('credit_note', credit({ id: 'cn_amount', amount_minor: amount })), {
        code: CHECK,
        constraint: 'credit_note_amount_minor_valid',
      });
    });

    test.each([-1, 1_000_000_000_000_000])('%i as the total of an order', async (amount) => {
      await refuses(() => client.query('update purchase_order set total_minor = $1 where id = $2', [amount, ids.po]), {
        code: CHECK,
        constraint: 'purchase_order_total_minor_valid',
      });
    });
  });

  describe('W-C20: a line', () => {
    test.each([
      ['whose total is not quantity times price', { line_total_minor: 999 }, 'line_item_line_total_minor_valid'],
      ['with the quantity 0', { quantity: 0, line_total_minor: 0 }, 'line_item_quantity_valid'],
      ['with a negative quantity', { quantity: -1, line_total_minor: -500 }, 'line_item_quantity_valid'],
      ['with a negative price', { unit_price_minor: -1, line_total_minor: -2 }, 'line_item_unit_price_minor_valid'],
      ['without a description', { description: '' }, 'line_item_description_valid'],
      ['with an endless description', { description: 'x'.repeat(301) }, 'line_item_description_valid'],
    ])('%s', async (_what, row, constraint) => {
      const bad = line({ id: 'line_bad', position: 1, ...row });
      await refuses(() => insert('line_item', bad), { code: CHECK, constraint });
    });

    test('whose price is changed without its total', async () => {
      const change = () => client.query('update line_item set unit_price_minor = 1 where id = $1', [ids.line]);
      await refuses(change, { code: CHECK, constraint: 'line_item_line_total_minor_valid' });
    });
  });

  describe('a purchase order', () => {
    test('W-C12: in another currency than it was made in', async () => {
      const change = () => client.query("update purchase_order set currency_code = 'EUR' where id = $1", [ids.po]);
      await refuses(change, { code: RESTRICT, message: 'the currency of a purchase order never changes' });
    });

    test.each([
      ['that is cancelled without a time', "status = 'CANCELLED'"],
      ['that was cancelled but is not CANCELLED', "cancelled_at = '2026-11-02'"],
      ['with a reference of another form', "reference = 'PO-abc123'"],
      ['without an organisation', "organization_name = ''"],
      ['with an address that is no e-mail address', "contact_email = 'nobody'"],
      ['with a currency that is no code', "currency_code = 'usd'"],
      ['in an unknown status', "status = 'INVOICED'"],
    ])('%s', async (_what, change) => {
      const isCurrency = change.startsWith('currency_code');
      await refuses(() => client.query(`update purchase_order set ${change} where id = $1`, [ids.po]), {
        code: isCurrency ? RESTRICT : CHECK,
      });
    });

    test('of a conference that does not exist', async () => {
      const row = order({ id: 'po_lost', reference: 'PO-LOST00', conference_id: 'conf_lost' });
      await refuses(() => insert('purchase_order', row), { code: FOREIGN_KEY });
    });

    test('without a currency', async () => {
      const row = order({ id: 'po_no_money', reference: 'PO-NOMONY', currency_code: null });
      await refuses(() => insert('purchase_order', row), { code: NOT_NULL });
    });
  });

  test.each([
    ['conference with purchase orders', 'conference', 'conf'],
    ['purchase order with lines and money', 'purchase_order', 'po'],
    ['connection with invoices', 'qbo_connection', 'conn'],
  ] as const)('W-C22: deleting a %s', async (_what, table, id) => {
    await refuses(() => client.query(`delete from ${table} where id = $1`, [ids[id]]), { code: RESTRICT });
  });

  test.each([
    ['in an unknown state', "state = 'LOST'", 'webhook_event_state_check'],
    ['that is done at no time', "state = 'DONE'", 'webhook_event_processed_check'],
    ['that was done but waits', 'processed_at = now()', 'webhook_event_processed_check'],
    ['that failed less than never', 'attempts = -1', 'webhook_event_attempts_valid'],
  ])('a webhook event %s', async (_what, change, constraint) => {
    const attempt = () => client.query(`update webhook_event set ${change} where id = $1`, [ids.evt]);
    await refuses(attempt, { code: CHECK, constraint });
  });

  test('a finished invoice that nobody can find at its provider', async () => {
    const change = () => client.query('update invoice set external_id = null where id = $1', [ids.inv]);
    await refuses(change, { code: CHECK, constraint: 'invoice_external_id_check' });
  });

  test.each([
    ['a slug that is no name in a URL', "slug = 'A b'"],
    ['a blank name', "name = ''"],
    ['a currency that is no code', "currency_code = 'dollar'"],
    ['an end before its start', "start_date = '2026-11-02', end_date = '2026-11-01'"],
  ])('a conference with %s', async (_what, change) => {
    await refuses(() => client.query(`update conference set ${change} where id = $1`, [ids.conf]), { code: CHECK });
  });
});
