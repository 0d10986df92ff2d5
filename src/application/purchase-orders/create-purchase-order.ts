import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { ConferenceRole } from '../../domain/access/grants.js';
import type { Conference } from '../../domain/conference/conference.entity.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { formatAmount, MAX_AMOUNT, type MinorUnits, multiply, sum, ZERO } from '../../domain/money.js';
import { LineItem } from '../../domain/purchase-order/line-item.entity.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { deriveStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { audit } from '../audit.js';
import { findConference } from '../conferences/find-conference.js';
import type { UseCaseContext } from '../context.js';
import { type IdempotencyCode, once } from '../idempotency.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import {
  amountIn,
  emailAddress,
  optionalDay,
  optionalLine,
  optionalText,
  requiredLine,
  validate,
} from '../validation.js';

export type CreatePurchaseOrderCode = 'NOT_FOUND' | 'INVALID' | IdempotencyCode;

/** QuickBooks takes at most 750 lines on a taxable invoice. */
const MAX_LINES = 750;

function inputSchema(currency: CurrencyCode) {
  return z.object({
    organizationName: requiredLine('The organization name', 300),
    contactEmail: emailAddress,
    contactName: optionalLine('The contact name', 200),
    billingAddress: optionalText('The billing address', 2000),
    notes: optionalText('The notes', 4000),
    buyerReference: optionalLine("The buyer's reference", 100),
    dueDate: optionalDay,
    lineItems: z
      .array(lineSchema(currency))
      .min(1, 'A purchase order needs at least one line.')
      .max(MAX_LINES, `A purchase order has at most ${MAX_LINES} lines.`)
      .refine((lines) => sum(lines.map((line) => line.lineTotalMinor)) <= MAX_AMOUNT, {
        error: `The total must be at most ${formatAmount(MAX_AMOUNT, currency)} ${currency}.`,
        // A line that was refused has no total to add.
        when: ({ issues }) => issues.length === 0,
      }),
  });
}

function lineSchema(currency: CurrencyCode) {
  return z
    .object({
      description: requiredLine('The description', 300),
      quantity: z.int('The quantity must be a whole number.').min(1, 'The quantity must be at least 1.'),
      unitPrice: amountIn(currency, 'zero'),
    })
    .transform(({ description, quantity, unitPrice }) => ({
      description,
      quantity,
      unitPriceMinor: unitPrice,
      lineTotalMinor: multiply(unitPrice, quantity),
    }));
}

type CheckedInput = z.output<ReturnType<typeof inputSchema>>;

export interface CreatePurchaseOrderInput {
  readonly conferenceId: string;
  readonly organizationName: string;
  readonly contactEmail: string;
  readonly contactName?: string | null;
  readonly billingAddress?: string | null;
  readonly notes?: string | null;
  readonly buyerReference?: string | null;
  readonly dueDate?: string | null;
  readonly lineItems: readonly { description: string; quantity: number; unitPrice: string }[];
  readonly idempotencyKey?: string | null;
}

/** Creates a draft purchase order in the conference's currency. Unit prices are decimal texts in major units. */
export async function createPurchaseOrder(
  context: UseCaseContext,
  { idempotencyKey, ...input }: CreatePurchaseOrderInput,
): Promise<Outcome<Failure<CreatePurchaseOrderCode>>> {
  const request = { mutation: 'createPurchaseOrder', key: idempotencyKey ?? undefined, input };
  return withFreshReference(() =>
    inTransaction<Outcome<Failure<CreatePurchaseOrderCode>>>(context.em, async (tx) => {
      const wanted = { id: input.conferenceId, needed: ConferenceRole.FINANCE };
      const conference = await findConference(tx, context.actor, wanted);
      if (!conference) return refusal('NOT_FOUND', 'There is no conference with this id.', ['conferenceId']);
      return once<Failure<CreatePurchaseOrderCode>>(tx, context, request, async () => {
        const checked = validate(inputSchema(conference.currencyCode), input);
        return checked.ok ? insert(tx, context, conference, checked.value) : refused(...checked.failures);
      });
    }),
  );
}

/** Two of 2.18 thousand million references rarely collide; when they do, the loser draws again. */
const REFERENCE_ATTEMPTS = 10;

async function withFreshReference<T>(create: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await create();
    } catch (error) {
      if (!isReferenceCollision(error) || attempt === REFERENCE_ATTEMPTS) throw error;
    }
  }
}

function isReferenceCollision(error: unknown): boolean {
  return error instanceof UniqueConstraintViolationException && error.message.includes('purchase_order_reference');
}

async function insert(
  tx: EntityManager,
  context: UseCaseContext,
  conference: Conference,
  { lineItems, ...fields }: CheckedInput,
): Promise<Outcome<never>> {
  const { clock, ids } = context;
  const now = clock.now();
  const totalMinor = sum(lineItems.map((line) => line.lineTotalMinor));
  const order = tx.create(PurchaseOrder, {
    id: ids.next('po'),
    conference: conference.id,
    reference: ids.nextReference(),
    currencyCode: conference.currencyCode,
    ...fields,
    totalMinor,
    status: statusOfNew(totalMinor),
    createdAt: now,
    updatedAt: now,
  });
  lineItems.forEach((line, position) => {
    tx.create(LineItem, { id: ids.next('line'), purchaseOrder: order, position, ...line });
  });
  audit(tx, context, {
    action: 'purchase_order.created',
    subject: order.id,
    after: { reference: order.reference, total: formatAmount(totalMinor, order.currencyCode), status: order.status },
  });
  await tx.flush();
  return done(order.id);
}

function statusOfNew(totalMinor: MinorUnits) {
  return deriveStatus({ totalMinor, sentAt: null, cancelledAt: null }, { paid: ZERO, credited: ZERO });
}
