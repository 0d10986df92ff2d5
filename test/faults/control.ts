import { type Books, readBooks } from './books.js';

/** The simulator's control API: the bookkeeper's hands and the saboteur's. */
export class Control {
  readonly #url: string;
  readonly #fetch = globalThis.fetch;

  /** Make it before gates are installed: what the harness does is nobody's use case. */
  constructor(controlUrl: string) {
    this.#url = controlUrl;
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const text = await this.#text(method, path, body);
    return text === '' ? undefined : JSON.parse(text);
  }

  async books(realmId: string): Promise<Books> {
    return readBooks(await this.#text('GET', `/books?realmId=${realmId}`));
  }

  async #text(method: string, path: string, body?: object): Promise<string> {
    const response = await this.#fetch(`${this.#url}${path}`, {
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

/** A refusal bears the provider's code; anything else is a mistake of the harness. */
function isRefusal(text: string): boolean {
  return text.startsWith('{') && 'code' in JSON.parse(text);
}

/** The books do not allow it, e.g. to void what is voided. */
export class RefusedByControl extends Error {}
