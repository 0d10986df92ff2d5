import cors from 'cors';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Answers are data: whoever shows one as a page gets nothing out of it. */
export const securityHeaders: RequestHandler = helmet({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
});

/** The IDE is a page: it brings scripts and styles inside of itself, and works in blobs. Everything is from this server. */
export const pagePolicy: RequestHandler = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    workerSrc: ["'self'", 'blob:'],
    baseUri: ["'self'"],
    formAction: ["'none'"],
    // The IDE itself frames the box that scripts of requests run in.
    frameAncestors: ["'self'"],
    objectSrc: ["'none'"],
  },
});

/** Lets pages of these origins call; of no others. Keys travel in a header, so cookies are never allowed. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'apollo-require-preflight', 'last-event-id', 'x-request-id'],
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: 600,
  });
}
