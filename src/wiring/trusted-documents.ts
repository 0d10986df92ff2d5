import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { buildGraphQLSchema } from '../api/graphql/schema.js';
import { findInvalidDocument, type TrustedDocuments } from '../api/graphql/trusted-documents.js';
import { type Config, ConfigError } from '../config.js';

const fileSchema = z.record(z.string().min(1).max(200), z.string());

/** Reads the file that `TRUSTED_DOCUMENTS` names. A document that nobody could execute stops the start. */
export async function loadTrustedDocuments({
  path,
  isRequired,
}: Config['trustedDocuments']): Promise<TrustedDocuments> {
  if (path === undefined) return { documents: new Map(), isRequired };
  const documents = new Map(Object.entries(await readDocuments(path)));
  const invalid = findInvalidDocument(buildGraphQLSchema(), documents);
  if (invalid !== undefined) throw new ConfigError(`In the file that TRUSTED_DOCUMENTS names, ${invalid}`);
  return { documents, isRequired };
}

async function readDocuments(path: string): Promise<Record<string, string>> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    throw new ConfigError('The file that TRUSTED_DOCUMENTS names cannot be read as a JSON object of documents by id.');
  }
}
