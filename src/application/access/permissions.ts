import { raw } from '@mikro-orm/core';
import { ConferenceRole, type Grants, includesRole } from '../../domain/access/grants.js';
import type { Actor } from '../context.js';
import type { Fragment } from '../queries/keyset.js';

/** The actor sees the object but may not do this with it. What an actor may not see is as good as unknown instead. */
export class AccessDenied extends Error {}

export function hasRoleIn({ grants }: Actor, conferenceId: string, needed: ConferenceRole): boolean {
  const role = grants.roles.get(conferenceId);
  return grants.isAdministrator || (role !== undefined && includesRole(role, needed));
}

/** Whether the actor has the role in any conference. */
export function hasRoleAnywhere({ grants }: Actor, needed: ConferenceRole): boolean {
  return grants.isAdministrator || [...grants.roles.values()].some((role) => includesRole(role, needed));
}

/** Throws `AccessDenied` unless the actor has the role in the conference, which it is known to see. */
export function requireRoleIn(actor: Actor, conferenceId: string, needed: ConferenceRole): void {
  if (hasRoleIn(actor, conferenceId, needed)) return;
  throw new AccessDenied(`This needs the role ${needed} in the conference ${conferenceId}.`);
}

export function requireAdministrator({ grants }: Actor): void {
  if (!grants.isAdministrator) throw new AccessDenied('This is for administrators of the server.');
}

/** Whether the actor sees this purchase order at all. */
export function seesPurchaseOrder(
  actor: Actor,
  order: { readonly id: string; readonly conferenceId: string },
): boolean {
  return hasRoleIn(actor, order.conferenceId, ConferenceRole.VIEWER) || actor.grants.purchaseOrderId === order.id;
}

/** Of the rows of `purchase_order` those that the actor sees; undefined: all of them. Beside other tables with its alias. */
export function visiblePurchaseOrders({ grants }: Actor, alias?: string): Fragment | undefined {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return visibleRows(grants, { conferenceId: `${prefix}conference_id`, purchaseOrderId: `${prefix}id` });
}

/** Of the rows of `conference` those that the actor sees; undefined: all of them. */
export function visibleConferences({ grants }: Actor): Fragment | undefined {
  const ofOrder = '(select conference_id from purchase_order where purchase_order.id = ?)';
  if (grants.isAdministrator) return undefined;
  if (grants.purchaseOrderId !== null) return { sql: `id = ${ofOrder}`, params: [grants.purchaseOrderId] };
  return visibleRows(grants, { conferenceId: 'id' });
}

/** The conferences whose keys the actor manages; undefined: all. */
function organisedConferences({ grants }: Actor): string[] | undefined {
  if (grants.isAdministrator) return undefined;
  const isOrganised = ([, role]: [string, ConferenceRole]) => includesRole(role, ConferenceRole.ORGANISER);
  return [...grants.roles].filter(isOrganised).map(([conferenceId]) => conferenceId);
}

/**
 * Of the rows of `api_key` those that the actor manages; undefined: all of them. An organiser manages the keys that have a
 * role in a conference of theirs, or show an order of it; what those grant elsewhere is none of their business.
 */
export function manageableApiKeys(actor: Actor): Fragment | undefined {
  const organised = organisedConferences(actor);
  if (organised === undefined) return undefined;
  if (organised.length === 0) return { sql: 'false', params: [] };
  return {
    sql: `case kind
      when 'ROLES' then exists (select from api_key_role where api_key_id = api_key.id and conference_id in (?))
      when 'PURCHASE_ORDER' then exists (
        select from purchase_order where purchase_order.id = purchase_order_id and conference_id in (?))
      else false end`,
    params: [organised, organised],
  };
}

/** Of the rows of `api_key_role` those that the actor manages; undefined: all of them. */
export function manageableRoles(actor: Actor): Fragment | undefined {
  const organised = organisedConferences(actor);
  if (organised === undefined) return undefined;
  return organised.length === 0 ? { sql: 'false', params: [] } : { sql: 'conference_id in (?)', params: [organised] };
}

/** Such a condition as the ORM takes it, for rows to lock: what is invisible must not be waited for. */
export function filterBy(condition: Fragment | undefined): Record<symbol, never[]> {
  return condition ? { [raw(condition.sql, condition.params)]: [] } : {};
}

function visibleRows(
  { isAdministrator, roles, purchaseOrderId }: Grants,
  columns: { readonly conferenceId: string; readonly purchaseOrderId?: string },
): Fragment | undefined {
  if (isAdministrator) return undefined;
  if (purchaseOrderId !== null && columns.purchaseOrderId !== undefined) {
    return { sql: `${columns.purchaseOrderId} = ?`, params: [purchaseOrderId] };
  }
  if (roles.size === 0) return { sql: 'false', params: [] };
  return { sql: `${columns.conferenceId} in (?)`, params: [[...roles.keys()]] };
}
