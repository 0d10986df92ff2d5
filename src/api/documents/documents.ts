import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { GraphQLError } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import type { DocumentRenderer } from '../../application/ports/documents.js';
import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import { authenticate, SEND_A_KEY } from '../authentication.js';
import type { RateLimits } from '../graphql/limits/rate-limits.js';

export interface DocumentOptions {
  readonly findActor: (credential: string) => Promise<Actor | undefined>;
  /** Undefined: there is none, or the actor may not see it. */
  readonly findDocument: (actor: Actor, purchaseOrderId: string) => Promise<PurchaseOrderDocument | undefined>;
  readonly renderer: DocumentRenderer;
  /** The same budgets as GraphQL has. */
  readonly rateLimits: RateLimits;
}

/** How ids are written. The database cannot even be asked for one with a NUL character. */
const ID = /^\w{1,100}$/;

/** What a document takes out of its caller's budget: as long to make as answers of so many values. */
const COST = 10_000;

/** Budgets are of a minute; the message says how much of it is left. */
const RETRY_AFTER = '60';

/** `GET /purchase-orders/{id}/invoice.pdf`: what was ordered and paid, for people who want paper. */
export function documentRouter(options: DocumentOptions): Router {
  const { findDocument, renderer } = options;
  const router = Router();
  router.get('/purchase-orders/:id/invoice.pdf', async (request, response) => {
    response.set('cache-control', 'no-store');
    const actor = await admit(options, request, response);
    if (!actor) return;
    const { id } = request.params;
    const document = ID.test(id) ? await findDocument(actor, id) : undefined;
    if (!document) {
      response.status(404).json({ error: 'There is no purchase order with this id.' });
      return;
    }
    response.type('application/pdf').set('content-disposition', `inline; filename="${document.reference}.pdf"`);
    if (request.method === 'HEAD') response.end();
    else await send(await renderer.renderPurchaseOrder(document), response);
  });
  return router;
}

/** Who asks; undefined for nobody, and for who asks too much, which is answered then. */
async function admit(
  { findActor, rateLimits }: DocumentOptions,
  request: Request,
  response: Response,
): Promise<Actor | undefined> {
  const address = request.ip ?? '';
  try {
    const found = await authenticate(rateLimits.countingFailures(findActor, address), request.get('authorization'));
    if (!('actor' in found)) return refuse(response, found.status, found.message);
    if (found.actor === NOBODY) return refuse(response, 401, SEND_A_KEY);
    await rateLimits.spend({ actor: found.actor, address }, COST);
    return found.actor;
  } catch (error) {
    if (!(error instanceof GraphQLError) || error.extensions.code !== 'RATE_LIMITED') throw error;
    response.set('retry-after', RETRY_AFTER);
    return refuse(response, 429, error.message);
  }
}

function refuse(response: Response, status: number, message: string): undefined {
  response.status(status).json({ error: message });
}

/** A reader who leaves ends the writing, and is no fault. */
async function send(pdf: Readable, response: NodeJS.WritableStream): Promise<void> {
  await pipeline(pdf, response).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
}
