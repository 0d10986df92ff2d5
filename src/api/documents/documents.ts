import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { GraphQLError } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import type { DocumentRenderer } from '../../application/ports/documents.js';
import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import { type Admission, findSender } from '../graphql/authentication.js';
import { httpOf, unauthenticated } from '../graphql/errors.js';

/** Admitted as to GraphQL, and with the same budgets. */
export interface DocumentOptions extends Admission {
  /** Undefined: there is none, or the actor may not see it. */
  readonly findDocument: (actor: Actor, purchaseOrderId: string) => Promise<PurchaseOrderDocument | undefined>;
  readonly renderer: DocumentRenderer;
}

/** How ids are written. The database cannot even be asked for one with a NUL character. */
const ID = /^\w{1,100}$/;

/** What a document takes out of its caller's budget: as long to make as answers of so many values. */
const COST = 10_000;

/** `GET /purchase-orders/{id}/invoice.pdf`: what was ordered and paid, for people who want paper. */
export function documentRouter(options: DocumentOptions): Router {
  const { findDocument, renderer } = options;
  const router = Router();
  router.get('/purchase-orders/:id/invoice.pdf', async (request, response) => {
    response.set('cache-control', 'no-store');
    const actor = await admit(options, request).catch((error: unknown) => refuse(response, error));
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

async function admit(options: Admission, request: Request): Promise<Actor> {
  const actor = await findSender(options, request);
  if (actor === NOBODY) throw unauthenticated();
  await options.rateLimits.spend({ actor, address: request.ip ?? '' }, COST);
  return actor;
}

/** Answers what GraphQL would say to the caller. */
function refuse(response: Response, error: unknown): undefined {
  const { status, headers = new Map() } = httpOf(error);
  if (!(error instanceof GraphQLError) || status === undefined) throw error;
  response.set(Object.fromEntries(headers)).status(status).json({ error: error.message });
}

/** A reader who leaves ends the writing, and is no fault. */
async function send(pdf: Readable, response: NodeJS.WritableStream): Promise<void> {
  await pipeline(pdf, response).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
}
