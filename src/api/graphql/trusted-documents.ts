import { GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { z } from 'zod';
import type { Actor } from '../../application/context.js';
import { documentRules, MAX_TOKENS } from './limits/document-limits.js';

/** Documents that clients name instead of sending them, and whether they have to. */
export interface TrustedDocuments {
  readonly documents: ReadonlyMap<string, string>;
  /** Only administrators may then send other ones, as they do in the IDE. */
  readonly isRequired: boolean;
}

/** What is wrong with the first document that this schema does not accept; undefined when it accepts all of them. */
export function findInvalidDocument(schema: GraphQLSchema, documents: ReadonlyMap<string, string>): string | undefined {
  for (const [id, text] of documents) {
    const [error] = errorsOf(schema, text);
    if (error) return `the document "${id}" is not valid: ${error.message}`;
  }
  return undefined;
}

function errorsOf(schema: GraphQLSchema, text: string): readonly GraphQLError[] {
  try {
    return validate(schema, parse(text, { maxTokens: MAX_TOKENS }), documentRules);
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

const namedRequest = z.object({ documentId: z.string().max(200), query: z.undefined().optional() });

/** Puts the document into a request that names one. Throws for unknown ones, and for free text that is not wanted. */
export function resolveDocument({ documents, isRequired }: TrustedDocuments, request: unknown, actor: Actor): void {
  if (!isRecord(request) || request.documentId === undefined) {
    if (isRequired && !actor.grants.isAdministrator)
      throw refused('DOCUMENT_REQUIRED', 'Send "documentId": free text is not answered here.');
    return;
  }
  const named = namedRequest.safeParse(request);
  if (!named.success) throw refused('BAD_REQUEST', 'Send "documentId" as a string, and no "query" beside it.');
  const document = documents.get(named.data.documentId);
  if (document === undefined) throw refused('UNKNOWN_DOCUMENT', 'This server has no document with this "documentId".');
  request.query = document;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
}
