import { envelopeTime } from '../dates.js';
import type { FaultDescription } from '../faults.js';
import { isObject } from '../json.js';

const NAMESPACE = 'http://schema.intuit.com/finance/v3';

function escaped(value: unknown): string {
  return `${value}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function responseXml(content: Record<string, unknown>, time: string): string {
  const inner = Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('');
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse xmlns="${NAMESPACE}" time="${time}">${inner}</IntuitResponse>`;
}

export function faultXml(fault: FaultDescription, now: number): string {
  const element = fault.element === undefined ? '' : ` element="${escaped(fault.element)}"`;
  const detail = fault.detail === null ? '' : `<Detail>${escaped(fault.detail)}</Detail>`;
  return (
    `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse xmlns="${NAMESPACE}" time="${envelopeTime(now)}">` +
    `<Fault type="${fault.type}"><Error code="${fault.code}"${element}><Message>${escaped(fault.message)}</Message>${detail}</Error></Fault>` +
    '</IntuitResponse>'
  );
}

/** Lists repeat their element; references keep their name in an attribute; the rest nests. */
function element(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((member) => element(name, member)).join('');
  if (!isObject(value)) return `<${name}>${escaped(value)}</${name}>`;
  if (name.endsWith('Ref') && 'value' in value) {
    const label = value.name === undefined ? '' : ` name="${escaped(value.name)}"`;
    return `<${name}${label}>${escaped(value.value)}</${name}>`;
  }
  const { domain, sparse, ...fields } = value;
  const attributes =
    (domain === undefined ? '' : ` domain="${escaped(domain)}"`) +
    (sparse === undefined ? '' : ` sparse="${escaped(sparse)}"`);
  const inner = Object.entries(fields)
    .map(([field, member]) => element(field, member))
    .join('');
  return `<${name}${attributes}>${inner}</${name}>`;
}
