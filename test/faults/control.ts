/** A simulator's control API: the bookkeeper's hands and the saboteur's. */
export class Control {
  readonly #url: string;

  constructor(controlUrl: string) {
    this.#url = controlUrl;
  }

  async call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const text = await this.text(method, path, body);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** What a person does at the provider; it may be refused, e.g. when it was done already. */
  async attempt(path: string, order: object): Promise<void> {
    try {
      await this.text('POST', path, order);
    } catch (error) {
      if (!(error instanceof RefusedByControl)) throw error;
    }
  }

  /** The answer as it was written: numbers in it may be amounts. */
  async text(method: string, path: string, body?: object): Promise<string> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text;
    const message = `${method} ${path}: ${response.status} ${text}`;
    throw isRefusal(text) ? new RefusedByControl(message) : new Error(message);
  }
}

/** A refusal bears the provider's code or type of error; anything else is a mistake of the harness. */
function isRefusal(text: string): boolean {
  if (!text.startsWith('{')) return false;
  const answer: object = JSON.parse(text);
  return 'code' in answer || 'type' in answer;
}

/** The books do not allow it, e.g. to void what is voided. */
class RefusedByControl extends Error {}
