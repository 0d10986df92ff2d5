const MAX_LENGTH = 100;

/**
 * QuickBooks' e-mail address object. Undefined for what QuickBooks refuses (no `@`, no dot, over 100 characters): a
 * missing address can be added later, a refused customer stops the invoice.
 */
export function emailAddress(email: string): { readonly Address: string } | undefined {
  const Address = email.trim();
  const isAcceptable = Address.length <= MAX_LENGTH && /^[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+$/.test(Address);
  return isAcceptable ? { Address } : undefined;
}
