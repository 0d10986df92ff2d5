/** The database cannot be used as it is; whoever runs the process can mend that. The message is one sentence. */
export class DatabaseProblem extends Error {
  override readonly name: string = 'DatabaseProblem';
}

/** Answers of the network and of PostgreSQL to a URL that is wrong, or right too early. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  '28P01': 'it does not accept the password',
  '28000': 'it does not accept the user',
  '3D000': 'there is no database of that name, so create it or correct the name',
  '42501': 'the user may not create tables there',
  '53300': 'it has no connection left',
  CI001: 'it lacks the extension pg_trgm, which its administrator has to create there',
  '57P03': 'it is still starting, or stopping',
};

/** The sentence for an operator when the first contact failed, without host or password; anything else as it was. */
export function databaseProblem(error: unknown): unknown {
  const reason = REASONS[codeOf(error)];
  if (reason === undefined) return error;
  return new DatabaseProblem(`The database of DATABASE_URL cannot be used: ${reason} (${codeOf(error)}).`, {
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
