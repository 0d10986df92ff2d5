import { z } from 'zod';

/** An order as it is compared: whoever told of it, in the same words, amounts in minor units. */
export interface ComparedOrder {
  readonly id: string;
  readonly amounts: Readonly<Record<string, string>>;
  readonly texts: Readonly<Record<string, string | null>>;
  readonly conference: Readonly<Record<string, string>>;
  readonly lineItems: readonly Readonly<Record<string, string | number>>[];
  readonly payments: readonly Readonly<Record<string, string>>[];
}

const conference = z.object({ id: z.string(), slug: z.string(), name: z.string() });
const texts = {
  id: z.string(),
  reference: z.string(),
  status: z.string(),
  organizationName: z.string(),
  contactEmail: z.string(),
  buyerReference: z.string(),
  currencyCode: z.string(),
  dueDate: z.string().nullable(),
  createdAt: z.string(),
};

/** "1475.00" of a currency with two digits, which every order here has. */
const money = z.object({ amount: z.string().regex(/^-?\d+\.\d\d$/) }).transform(({ amount }) => inMinor(amount));
/** bigint columns come as texts from PostGraphile, as numbers from PostgreSQL's JSON. */
const minor = z.union([z.string(), z.number()]).transform(String);

function inMinor(amount: string): string {
  return BigInt(amount.replace('.', '')).toString();
}

export const ourOrder = z
  .object({
    ...texts,
    conference,
    total: money,
    totalPaid: money,
    totalCredited: money,
    balanceDue: money,
    lineItems: z.array(
      z
        .object({ id: z.string(), description: z.string(), quantity: z.number(), unitPrice: money, lineTotal: money })
        .transform(({ unitPrice, lineTotal, ...line }) => ({
          ...line,
          unitPriceMinor: unitPrice,
          lineTotalMinor: lineTotal,
        })),
    ),
    payments: z.object({
      nodes: z.array(
        z
          .object({ id: z.string(), amount: money, method: z.string(), reference: z.string(), paidOn: z.string() })
          .transform(({ amount, ...payment }) => ({ ...payment, amountMinor: amount })),
      ),
    }),
  })
  .transform(
    ({ total, totalPaid, totalCredited, balanceDue, payments, ...order }): ComparedOrder =>
      compared(
        { ...order, payments: payments.nodes },
        { total, paid: totalPaid, credited: totalCredited, balance: balanceDue },
      ),
  );

const peerLine = z.object({
  id: z.string(),
  description: z.string(),
  quantity: z.number(),
  unitPriceMinor: minor,
  lineTotalMinor: minor,
});
const peerPayment = z.object({
  id: z.string(),
  amountMinor: minor,
  method: z.string(),
  reference: z.string(),
  paidOn: z.string(),
});
const peerMoney = { totalMinor: minor, paidMinor: minor, creditedMinor: minor, balanceMinor: minor };

export const plainOrder = z
  .object({ ...texts, conference, ...peerMoney, lineItems: z.array(peerLine), payments: z.array(peerPayment) })
  .transform(toCompared);

/** PostGraphile names relations after their columns. */
export const postgraphileOrder = z
  .object({
    ...texts,
    conferenceByConferenceId: conference,
    ...peerMoney,
    lineItemsByPurchaseOrderIdList: z.array(peerLine),
    paymentsByPurchaseOrderId: z.object({ nodes: z.array(peerPayment) }),
  })
  .transform(({ conferenceByConferenceId, lineItemsByPurchaseOrderIdList, paymentsByPurchaseOrderId, ...order }) =>
    toCompared({
      ...order,
      conference: conferenceByConferenceId,
      lineItems: lineItemsByPurchaseOrderIdList,
      payments: paymentsByPurchaseOrderId.nodes,
    }),
  );

type Told = Pick<ComparedOrder, 'id' | 'conference' | 'lineItems' | 'payments'> &
  Readonly<Record<Exclude<keyof typeof texts, 'dueDate'>, string>> & { readonly dueDate: string | null };

type Sums = Readonly<Record<keyof typeof peerMoney, string>>;

function toCompared({ totalMinor, paidMinor, creditedMinor, balanceMinor, ...told }: Told & Sums): ComparedOrder {
  return compared(told, { total: totalMinor, paid: paidMinor, credited: creditedMinor, balance: balanceMinor });
}

function compared(told: Told, amounts: Readonly<Record<string, string>>): ComparedOrder {
  const { id, conference, lineItems, payments, createdAt, ...rest } = told;
  // PostgreSQL, PostGraphile and we write the same instant with "Z", "+00:00" and more or fewer digits.
  return {
    id,
    amounts,
    texts: { ...rest, createdAt: new Date(createdAt).toISOString() },
    conference,
    lineItems,
    payments,
  };
}
