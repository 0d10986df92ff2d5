/** What a GraphQL server answers, as a test looks at it: any field may be asked for and is checked by assertions. */
// biome-ignore lint/suspicious/noExplicitAny: documents are free text in tests, so their results have no static type.
export type Data = any;

export interface GraphQLAnswer {
  readonly status: number;
  readonly data: Data;
  readonly errors?: readonly { readonly message: string; readonly path?: string[]; readonly extensions: Data }[];
}

export class GraphQLClient {
  readonly #url: string;
  readonly #apiKey: string | undefined;

  constructor(url: string, apiKey: string | undefined) {
    this.#url = `${url}/graphql`;
    this.#apiKey = apiKey;
  }

  /** Sends a document and returns whatever comes back. */
  async send(query: string, variables: Record<string, unknown> = {}): Promise<GraphQLAnswer> {
    const response = await this.#post(this.#url, { query, variables });
    const answer: Omit<GraphQLAnswer, 'status'> = JSON.parse(await response.text());
    return { status: response.status, ...answer };
  }

  /** Begins a subscription, returns the first thing that comes back, and leaves. */
  async sendToStream(query: string, variables: Record<string, unknown> = {}): Promise<GraphQLAnswer> {
    const response = await this.#post(`${this.#url}/stream`, { query, variables });
    let text = '';
    for await (const chunk of (response.body ?? new Blob([]).stream()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      // Leaving the loop ends the stream.
      if (/^data: .+\n/m.test(text)) break;
    }
    const [, event = text] = /^data: (.+)\n/m.exec(text) ?? [];
    return { status: response.status, ...JSON.parse(event) };
  }

  #post(url: string, body: object): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.#apiKey !== undefined && { authorization: `Bearer ${this.#apiKey}` }),
      },
      body: JSON.stringify(body),
    });
  }

  /** Sends a document that must not have top-level errors and returns its data. */
  async query(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const { data, errors } = await this.send(query, variables);
    if (errors) throw new Error(`unexpected GraphQL errors: ${JSON.stringify(errors)}`);
    return data;
  }

  /** Calls a mutation with an input and returns its payload. `selection` is what to select besides the user errors. */
  async mutate(name: string, input: Record<string, unknown>, selection: string, errorFields = ''): Promise<Data> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { result: ${name}(input: $input) { ${selection} userErrors { code message path ${errorFields} } } }`;
    return (await this.query(document, { input })).result;
  }
}
