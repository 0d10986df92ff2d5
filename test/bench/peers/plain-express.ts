// The least that a list can cost in Node: Express hands on the text that PostgreSQL made in one statement.
import express from 'express';
import pg from 'pg';

const { PORT, DATABASE_URL, POOL_SIZE } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(POOL_SIZE) });

const LIST = `
  select coalesce(json_agg(json_build_object(
    'id', o.id, 'reference', o.reference, 'status', o.status, 'organizationName', o.organization_name,
    'contactEmail', o.contact_email, 'buyerReference', o.buyer_reference, 'currencyCode', o.currency_code,
    'dueDate', o.due_date, 'createdAt', o.created_at,
    'conference', json_build_object('id', c.id, 'slug', c.slug, 'name', c.name),
    'totalMinor', o.total_minor, 'paidMinor', o.paid_minor, 'creditedMinor', o.credited_minor, 'balanceMinor', o.balance_minor,
    'lineItems', (
      select json_agg(json_build_object('id', l.id, 'description', l.description, 'quantity', l.quantity,
        'unitPriceMinor', l.unit_price_minor, 'lineTotalMinor', l.line_total_minor) order by l.position)
      from line_item l where l.purchase_order_id = o.id),
    'payments', (
      select coalesce(json_agg(json_build_object('id', p.id, 'amountMinor', p.amount_minor, 'method', p.method,
        'reference', p.reference, 'paidOn', p.paid_on) order by p.paid_on desc, p.id desc), '[]')
      from payment p where p.purchase_order_id = o.id)
  ) order by o.created_at desc, o.id desc), '[]')::text as list
  from (select * from purchase_order where conference_id = $1 order by created_at desc, id desc limit 50) o
  join conference c on c.id = o.conference_id`;

const app = express().disable('x-powered-by').disable('etag');

app.post('/list', express.json(), async (request, response) => {
  const { rows } = await pool.query({ name: 'list', text: LIST, values: [request.body.variables.conferenceId] });
  response.type('application/json').send(rows[0].list);
});

app.listen(Number(PORT), '127.0.0.1');
