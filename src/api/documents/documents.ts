import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { GraphQLError } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import type { DocumentRenderer } from '../../application/ports/documents.js';
import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import { authenticate } from '../graphql/authentication.js';
import { unauthenticated } from '../graphql/errors.js';

export interface DocumentOptions {
  readonly findActor: (credential: string) => Promise<Actor | undefined>;
  /** Undefined: there is none, or the actor may not see it. */
  readonly findDocument: (actor: Actor, purchaseOrderId: string) => Promise<PurchaseOrderDocument | undefined>;
  readonly renderer: DocumentRenderer;
}

/** How ids are written. The database cannot even be asked for one with a NUL character. */
const ID = /^\w{1,100}$/;

/** `GET /purchase-orders/{id}/invoice.pdf`: what was ordered and paid, for people who want paper. */
export function documentRouter({ findActor, findDocument, renderer }: DocumentOptions): Router {
  const router = Router();
  router.get('/purchase-orders/:id/invoice.pdf', async (request, response) => {
    response.set('cache-control', 'no-store');
    const actor = await findCaller(findActor, request, response);
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

/** Who asks; undefined when nobody does who may, which is answered then. */
async function findCaller(
  findActor: DocumentOptions['findActor'],
  request: Request,
  response: Response,
): Promise<Actor | undefined> {
  try {
    const actor = await authenticate(findActor, request.get('authorization'));
    if (actor === NOBODY) throw unauthenticated();
    return actor;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    response.status(error.extensions.code === 'SERVICE_UNAVAILABLE' ? 503 : 401).json({ error: error.message });
    return undefined;
  }
}

/** A reader who leaves ends the writing, and is no fault. */
async function send(pdf: Readable, response: NodeJS.WritableStream): Promise<void> {
  await pipeline(pdf, response).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
}
