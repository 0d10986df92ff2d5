import type { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import { done, type Outcome, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { claimSwitch } from './claim-switch.js';
import type { InvoicingContext } from './invoicing-context.js';
import { BEING_SWITCHED } from './open-switch.js';
import { afterFailedStep, nextStep, type SwitchFailure, type SwitchStep } from './switch-steps.js';
import { type SwitchTarget, switchTarget } from './switch-target.js';
import { voidLiveInvoice } from './void-live-invoice.js';

export type SwitchInvoiceProviderCode = SwitchFailure['code'];
export type SwitchInvoiceProviderOutcome = Outcome<SwitchFailure>;

export interface SwitchInvoiceProviderInput {
  readonly purchaseOrderId: string;
  /** Where it is to be invoiced. */
  readonly provider: `${InvoiceProvider}`;
}

/** Check, void, create, and each a few times over when the invoice changes at the very moment; more is a storm. */
const MAX_STEPS = 9;

/**
 * Moves an unpaid purchase order to another provider: voids its invoice where it is, and only when that is certain creates
 * one where it is wanted. Each step looks at what is there, so that calling it again, at the same time or after a crash,
 * goes on with the same switch. `id` of the outcome is the purchase order's.
 *
 * @param continuing the switch to go on with: when it was settled meanwhile, nothing is done
 */
export async function switchInvoiceProvider(
  context: InvoicingContext,
  { purchaseOrderId, provider }: SwitchInvoiceProviderInput,
  continuing?: string,
): Promise<SwitchInvoiceProviderOutcome> {
  const target = switchTarget(context, provider);
  const claim = await inTransaction(context.em, (tx) =>
    claimSwitch(tx, context, target, { purchaseOrderId, continuing }),
  );
  switch (claim.status) {
    case 'refused':
      return refused(claim.failure);
    case 'nothing to void':
      return target.create(purchaseOrderId);
    case 'claimed':
      return carryOut(context, target, { purchaseOrderId, operationId: claim.operationId });
  }
}

interface Claimed {
  readonly purchaseOrderId: string;
  readonly operationId: string;
}

async function carryOut(
  context: InvoicingContext,
  target: SwitchTarget,
  claimed: Claimed,
): Promise<SwitchInvoiceProviderOutcome> {
  let isChecked = false;
  for (let count = 1; count <= MAX_STEPS; count++) {
    const step = await inTransaction(context.em, (tx) => nextStep(tx, context, target, { ...claimed, isChecked }));
    if (step.kind === 'over') return step.outcome;
    const failure = await take(context, target, step, claimed);
    if (failure) return afterFailedStep(context, { ...claimed, kind: step.kind, failure });
    isChecked ||= step.kind === 'check';
  }
  return afterFailedStep(context, { ...claimed, kind: 'void', failure: BEING_SWITCHED });
}

/** Takes a step; the failure, if it took the switch no further. */
async function take(
  context: InvoicingContext,
  target: SwitchTarget,
  step: Exclude<SwitchStep, { kind: 'over' }>,
  { purchaseOrderId }: Claimed,
): Promise<SwitchFailure | undefined> {
  switch (step.kind) {
    case 'check':
      return target.whyNot(purchaseOrderId);
    case 'void': {
      const voided = await voidLiveInvoice(context, step.claimed, async (_tx, { order }) => done(order.id));
      return voided === 'changed' || voided.id !== null ? undefined : voided.failures[0];
    }
    case 'create': {
      const created = await target.create(purchaseOrderId);
      const [failure] = created.failures;
      // What somebody else created, and what differs, the next step looks at.
      return created.id !== null || failure?.code === 'ALREADY_INVOICED' ? undefined : failure;
    }
  }
}
