// The least that an honest acknowledgement can cost in Node: Express, the signature over the raw bytes, one insert.
import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express';
import pg from 'pg';

const { PORT, DATABASE_URL, POOL_SIZE, VERIFIER_TOKEN = '' } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(POOL_SIZE) });

const INSERT = 'insert into bare_webhook_event (event_id, payload) values ($1, $2)';

function isSigned(body: Buffer, signature: string | undefined): boolean {
  const expected = createHmac('sha256', VERIFIER_TOKEN).update(body).digest();
  const given = Buffer.from(signature ?? '', 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const app = express().disable('x-powered-by').disable('etag');

app.post('/webhooks/qbo', express.raw({ type: () => true }), async (request, response) => {
  if (!isSigned(request.body, request.get('intuit-signature'))) {
    response.sendStatus(401);
    return;
  }
  const [event] = JSON.parse(request.body.toString());
  await pool.query({ name: 'insert', text: INSERT, values: [event.id, JSON.stringify(event)] });
  response.json({ stored: 1 });
});

app.listen(Number(PORT), '127.0.0.1');
