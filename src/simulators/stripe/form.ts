/** Parameters as they were sent: texts, and objects of them. A list is an object with the positions as its keys. */
export interface FormObject {
  readonly [name: string]: FormValue;
}
export type FormValue = string | FormObject;

/** Reads `a=1&metadata[b]=2&expand[0]=c` (and `expand[]=c`) as the provider does, in a query or in a body. */
export function parseForm(text: string): FormObject {
  const root: Record<string, FormValue> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) put(root, pathOf(name), value);
  return root;
}

function pathOf(name: string): string[] {
  const [head = ''] = name.split('[', 1);
  return [head, ...[...name.slice(head.length).matchAll(/\[([^\]]*)\]/g)].map(([, part = '']) => part)];
}

function put(target: Record<string, FormValue>, [head = '', ...rest]: readonly string[], value: string): void {
  const name = head === '' ? `${Object.keys(target).length}` : head;
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const existing = target[name];
  const inner: Record<string, FormValue> =
    typeof existing === 'object' ? (existing as Record<string, FormValue>) : Object.create(null);
  target[name] = inner;
  put(inner, rest, value);
}
