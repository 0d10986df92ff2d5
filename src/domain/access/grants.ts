/** What a person or program may do in one conference. Each role includes those before it. */
export enum ConferenceRole {
  /** Sees everything of the conference. */
  VIEWER = 'VIEWER',
  /** Creates purchase orders, invoices them and books money. */
  FINANCE = 'FINANCE',
  /** Changes the conference, its connections and its keys. */
  ORGANISER = 'ORGANISER',
}

const RANKS: Record<ConferenceRole, number> = { VIEWER: 1, FINANCE: 2, ORGANISER: 3 };

export function includesRole(role: ConferenceRole, needed: ConferenceRole): boolean {
  return RANKS[role] >= RANKS[needed];
}

/** What somebody may see and do. Whoever has none of it sees nothing. */
export interface Grants {
  /** Everything, in every conference. */
  readonly isAdministrator: boolean;
  /** By the ids of conferences. */
  readonly roles: ReadonlyMap<string, ConferenceRole>;
  /** A buyer portal sees this purchase order, without what is internal, and nothing else. */
  readonly purchaseOrderId: string | null;
}

export const NO_GRANTS: Grants = { isAdministrator: false, roles: new Map(), purchaseOrderId: null };

export const ALL_GRANTS: Grants = { ...NO_GRANTS, isAdministrator: true };
