/** Two spellings of an organisation's name that differ only in case, width or spacing are one customer. */
export function normalizeOrganizationName(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase();
}
