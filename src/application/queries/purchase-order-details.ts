import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import { LineItem } from '../../domain/purchase-order/line-item.entity.js';
import { Payment } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';

/** A payment and what took it back, if anything did. */
export interface PaymentView {
  readonly payment: Payment;
  readonly reversal: PaymentReversal | undefined;
}

export async function findLineItems(em: EntityManager, orderIds: readonly string[]): Promise<LineItem[]> {
  return em.find(LineItem, { purchaseOrder: { $in: [...orderIds] } }, { orderBy: { position: 'asc' } });
}

/** Newest payment day first. */
export async function findPayments(em: EntityManager, orderIds: readonly string[]): Promise<PaymentView[]> {
  const where = { purchaseOrder: { $in: [...orderIds] } };
  const payments = await em.find(Payment, where, { orderBy: { paidOn: 'desc', id: 'desc' } });
  return withReversals(em, payments);
}

export async function findPaymentsById(em: EntityManager, ids: readonly string[]): Promise<PaymentView[]> {
  return withReversals(em, await em.find(Payment, { id: { $in: [...ids] } }));
}

async function withReversals(em: EntityManager, payments: readonly Payment[]): Promise<PaymentView[]> {
  if (payments.length === 0) return [];
  const reversals = await em.find(PaymentReversal, { payment: { $in: payments.map((payment) => payment.id) } });
  const byPayment = new Map(reversals.map((reversal) => [reversal.payment.id, reversal]));
  return payments.map((payment) => ({ payment, reversal: byPayment.get(payment.id) }));
}

/** Newest first. */
export async function findCreditNotes(em: EntityManager, orderIds: readonly string[]): Promise<CreditNote[]> {
  const where = { purchaseOrder: { $in: [...orderIds] } };
  return em.find(CreditNote, where, { orderBy: { createdAt: 'desc', id: 'desc' } });
}

export async function findCreditNotesById(em: EntityManager, ids: readonly string[]): Promise<CreditNote[]> {
  return em.find(CreditNote, { id: { $in: [...ids] } });
}

/** Per purchase order its live invoice, else its latest one: ids are in the order of time, and a live one is last. */
export async function findInvoices(em: EntityManager, orderIds: readonly string[]): Promise<Invoice[]> {
  return em.find(Invoice, { purchaseOrder: { $in: [...orderIds] } }, { orderBy: { createdAt: 'asc', id: 'asc' } });
}
