/** What we use of the font engine of pdfkit, which comes without types. */
declare module 'fontkit' {
  export function create(file: Uint8Array): { readonly characterSet: readonly number[] };
}
