import { type Evidence, type Finding, finding, type Sql } from './evidence.js';

const HISTORY = `
  with orders as (select id from purchase_order where conference_id = $1)
  select 'payment ' || id as id, md5(payment::text) as content from payment
    where purchase_order_id in (select id from orders)
  union all select 'payment_reversal ' || id, md5(payment_reversal::text) from payment_reversal
    where payment_id in (select id from payment where purchase_order_id in (select id from orders))
  union all select 'credit_note ' || id, md5(credit_note::text) from credit_note
    where purchase_order_id in (select id from orders)
  union all select 'credit_note_reversal ' || id, md5(credit_note_reversal::text) from credit_note_reversal
    where credit_note_id in (select id from credit_note where purchase_order_id in (select id from orders))
  union all select 'audit_event ' || id, md5(audit_event::text) from audit_event
    where subject in (select id from orders)`;

/** The append-only rows of a conference, as they are now. */
export async function readHistory(sql: Sql, conferenceId: string): Promise<Map<string, string>> {
  const rows = await sql(HISTORY, [conferenceId]);
  return new Map(rows.map(({ id, content }) => [String(id), String(content)]));
}

export async function auditHistory({ sql, conferenceId, earlier }: Evidence): Promise<Finding[]> {
  const now = await readHistory(sql, conferenceId);
  return [...earlier].flatMap(([id, content]) => {
    const current = now.get(id);
    if (current === undefined) return [finding('loss', `${id} was deleted`)];
    return current === content ? [] : [finding('wrong amount', `${id} was changed`)];
  });
}
