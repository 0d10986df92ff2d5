/** ECMAScript "JSON.parse source text access", which Node 24 has and TypeScript's library files do not describe yet. */
interface JSON {
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): { readonly rawJSON: string };
}
