import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { isBeingMade } from '../../domain/invoice/invoice.status.js';
import { OperationKind } from '../../domain/operation/provider-operation.entity.js';
import { audit } from '../audit.js';
import {
  claimOperation,
  closeAsRefused,
  findOpenOperation,
  isLeased,
  isStillOpen,
  type OperationConnection,
  operationConnection,
} from '../operations/provider-operations.js';
import type { Failure } from '../outcome.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { alreadyInvoiced, type ClaimCode, whyNotInvoiceable } from './claim-invoice.js';
import { closeVoids } from './close-voids.js';
import type { InvoicingContext } from './invoicing-context.js';
import { findLiveInvoice } from './live-invoice.js';
import { BEING_SWITCHED, switchTo, targetOf } from './open-switch.js';
import type { CreateFailure, SwitchTarget } from './switch-target.js';
import { whyNotVoidable } from './why-not-voidable.js';

export type SwitchClaim =
  | { readonly status: 'claimed'; readonly operationId: string }
  /** There is no invoice elsewhere: creating one is all there is to do. */
  | { readonly status: 'nothing to void' }
  | { readonly status: 'refused'; readonly failure: CreateFailure | Failure<ClaimCode> };

export interface SwitchRequest {
  readonly purchaseOrderId: string;
  readonly continuing: string | undefined;
}

/** Under the purchase order's lock: checks the rules and writes the switch down, or takes over one that was abandoned. */
export async function claimSwitch(
  tx: EntityManager,
  context: InvoicingContext,
  target: SwitchTarget,
  { purchaseOrderId, continuing }: SwitchRequest,
): Promise<SwitchClaim> {
  const locked = await lockPurchaseOrder(tx, context, purchaseOrderId);
  if (!locked) return refuse({ code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path: PATH });
  if (continuing !== undefined && !(await isStillOpen(tx, continuing))) return refuse(BEING_SWITCHED);
  const open = await findOpenOperation(tx, OperationKind.SWITCH_PROVIDER, purchaseOrderId);
  if (open && isLeased(context, open)) return refuse(BEING_SWITCHED);
  if (open && targetOf(open) === target.provider) {
    return writeDown(tx, context, target, { purchaseOrderId, connection: operationConnection(open) });
  }
  const live = await findLiveInvoice(tx, purchaseOrderId);
  const voiding = live && (await findOpenOperation(tx, OperationKind.VOID_INVOICE, live.id));
  if (voiding) return refuse(open ? BEING_SWITCHED : BEING_VOIDED);
  if (open) {
    closeAsRefused(open, 'It is to be invoiced elsewhere after all.', context.clock.now());
    await tx.flush();
    await closeVoids(tx, context, purchaseOrderId);
  }
  return begin(tx, context, target, { locked, live });
}

const PATH = ['purchaseOrderId'];

const BEING_VOIDED = {
  code: 'IN_PROGRESS',
  message: 'Its invoice is being voided, because the purchase order is to be cancelled; ask again later.',
  path: PATH,
} as const;

function refuse(failure: CreateFailure | Failure<ClaimCode>): SwitchClaim {
  return { status: 'refused', failure };
}

interface Candidate {
  readonly locked: LockedPurchaseOrder;
  readonly live: Invoice | null;
}

async function begin(
  tx: EntityManager,
  context: InvoicingContext,
  target: SwitchTarget,
  { locked, live }: Candidate,
): Promise<SwitchClaim> {
  const { order } = locked;
  if (!live) return { status: 'nothing to void' };
  if (live.provider === target.provider) {
    return isBeingMade(live.status) ? { status: 'nothing to void' } : refuse(alreadyInvoiced(live));
  }
  const problem = whyNotInvoiceable(locked) ?? whyNotVoidable(live, 'HAS_PAYMENTS_OR_CREDITS');
  if (problem) return refuse(problem);
  const connected = await target.connect(tx, order);
  if ('failure' in connected) return refuse(connected.failure);
  const before = { provider: live.provider, invoice: live.externalId };
  const after = { provider: target.provider };
  audit(tx, context, { action: 'invoice.switch_requested', subject: order.id, before, after });
  const connection = { provider: target.provider, id: connected.id };
  return writeDown(tx, context, target, { purchaseOrderId: order.id, connection });
}

async function writeDown(
  tx: EntityManager,
  context: InvoicingContext,
  { provider }: SwitchTarget,
  { purchaseOrderId, connection }: { readonly purchaseOrderId: string; readonly connection: OperationConnection },
): Promise<SwitchClaim> {
  const kind = OperationKind.SWITCH_PROVIDER;
  const body = switchTo(provider);
  const claim = await claimOperation(tx, context, { kind, subject: purchaseOrderId, connection, body });
  return claim.status === 'busy' ? refuse(BEING_SWITCHED) : { status: 'claimed', operationId: claim.operation.id };
}
