import { z } from 'zod';
import { parseJson } from './json.js';

/** An error that QuickBooks explains, whatever envelope it came in. Texts are as received: redact before passing on. */
export interface QboFault {
  /** Without leading zeros, e.g. `6140`. */
  readonly code: string | undefined;
  readonly message: string;
  readonly detail: string;
}

/** A response body: an answer, an explained error, or nothing that can be understood (HTML, empty, cut off). */
export type AnswerBody =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'fault'; readonly fault: QboFault }
  | { readonly kind: 'unreadable' };

/**
 * Reads a body whatever its content type says: the edge answers in HTML, the gateway sometimes in XML although JSON was
 * asked for, and a fault may come with status 200.
 */
export function readAnswerBody(text: string): AnswerBody {
  const fault = readXmlFault(text);
  if (fault) return { kind: 'fault', fault };
  try {
    const json = parseJson(text);
    const jsonFault = readJsonFault(json);
    return jsonFault ? { kind: 'fault', fault: jsonFault } : { kind: 'json', json };
  } catch {
    return { kind: 'unreadable' };
  }
}

const optionalText = z.string().nullish().catch(undefined);

// Validation faults are written in upper case, those of the gateway (401, 403, 429) in lower case.
const faultError = z.object({
  Message: optionalText,
  message: optionalText,
  Detail: optionalText,
  detail: optionalText,
  code: optionalText,
});

const errorList = z.array(faultError).nullish().catch(undefined);
const fault = z.object({ Error: errorList, error: errorList });
const faultEnvelope = z.union([z.object({ Fault: fault }), z.object({ fault })]);

/** The fault that a document explains, or an item of a batch. */
export function readJsonFault(json: unknown): QboFault | undefined {
  const parsed = faultEnvelope.safeParse(json);
  if (!parsed.success) return undefined;
  const { Error: upper, error: lower } = 'Fault' in parsed.data ? parsed.data.Fault : parsed.data.fault;
  // Several errors are rare; the first one is what stopped the request.
  const [first] = upper ?? lower ?? [];
  return toFault(first?.code ?? '', first?.Message ?? first?.message ?? '', first?.Detail ?? first?.detail ?? '');
}

function readXmlFault(text: string): QboFault | undefined {
  // Only a document: a note within JSON may quote anything.
  if (!text.trimStart().startsWith('<') || !/<Fault\b/i.test(text)) return undefined;
  const code = /<Error\b[^>]*\bcode="(\d+)"/i.exec(text)?.[1] ?? '';
  return toFault(code, xmlElement(text, 'Message'), xmlElement(text, 'Detail'));
}

function toFault(code: string, message: string, detail: string): QboFault {
  // The gateway also writes the code into its message, where it has leading zeros.
  const known = code === '' ? (/errorCode=(\d+)/.exec(message)?.[1] ?? '') : code;
  const normalized = known.replace(/^0+(?=\d)/, '');
  return { code: normalized === '' ? undefined : normalized, message, detail };
}

function xmlElement(text: string, name: string): string {
  const content = new RegExp(`<${name}\\b[^>]*>([^<]*)</${name}>`, 'i').exec(text)?.[1] ?? '';
  return content
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
