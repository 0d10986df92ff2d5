import type { AddRoute } from '../../common/control-route.js';
import type { Work } from '../books/work.js';
import { presentCreditMemo } from '../entities/credit-memos.js';
import { depositPayment, undepositPayment } from '../entities/payments.js';
import { presentInvoice } from '../entities/present-invoice.js';
import { presentPayment } from '../entities/present-payment.js';
import { presentRefundReceipt } from '../entities/refund-receipts.js';
import { deletedAnswer } from '../entities/shared.js';
import { type Simulation, workIn } from '../simulation.js';
import {
  creditInvoice,
  deleteInvoiceById,
  deletePaymentById,
  deleteRefundById,
  editInvoice,
  editPayment,
  editRefund,
  movePayment,
  pay,
  refund,
  unapplyPayment,
  voidInvoiceById,
  voidPaymentById,
} from './bookkeeper.js';
import { companyOf } from './control-route.js';
import {
  creditOrder,
  editInvoiceOrder,
  editPaymentOrder,
  editRefundOrder,
  invoiceOrder,
  movePaymentOrder,
  paymentOrder,
  payOrder,
  refundOrder,
  refundReceiptOrder,
  unapplyOrder,
} from './orders.js';

type Act = <T>(realmId: string, act: (work: Work) => T) => T;

/** What happens on the provider's side without the app: payments, credits, refunds, corrections. */
export function bookkeeperRoutes(simulation: Simulation, add: AddRoute): void {
  const at: Act = (realmId, act) => {
    const work = workIn(simulation, companyOf(simulation, realmId));
    const result = act(work);
    simulation.published(work.changes);
    return result;
  };
  paymentRoutes(add, at);
  invoiceRoutes(add, at);
  creditAndRefundRoutes(add, at);
}

function paymentRoutes(add: AddRoute, at: Act): void {
  add('post', '/pay', (body) => {
    const order = payOrder.parse(body);
    return at(order.realmId, (work) => ({ Payment: presentPayment(work, pay(work, order)) }));
  });
  add('post', '/edit-payment', (body) => {
    const order = editPaymentOrder.parse(body);
    return at(order.realmId, (work) => ({ Payment: presentPayment(work, editPayment(work, order)) }));
  });
  add('post', '/void-payment', (body) => {
    const { realmId, paymentId } = paymentOrder.parse(body);
    return at(realmId, (work) => ({ Payment: presentPayment(work, voidPaymentById(work, paymentId)) }));
  });
  add('post', '/delete-payment', (body) => {
    const { realmId, paymentId } = paymentOrder.parse(body);
    return at(realmId, (work) => ({ Payment: deletedAnswer(deletePaymentById(work, paymentId)) }));
  });
  add('post', '/deposit-payment', (body) => {
    const { realmId, paymentId } = paymentOrder.parse(body);
    return at(realmId, (work) => ({ Payment: presentPayment(work, depositPayment(work, paymentId)) }));
  });
  add('post', '/undeposit-payment', (body) => {
    const { realmId, paymentId } = paymentOrder.parse(body);
    return at(realmId, (work) => ({ Payment: presentPayment(work, undepositPayment(work, paymentId)) }));
  });
  add('post', '/unapply-payment', (body) => {
    const order = unapplyOrder.parse(body);
    return at(order.realmId, (work) => ({ Payment: presentPayment(work, unapplyPayment(work, order)) }));
  });
  add('post', '/move-payment', (body) => {
    const order = movePaymentOrder.parse(body);
    return at(order.realmId, (work) => ({ Payment: presentPayment(work, movePayment(work, order)) }));
  });
}

function invoiceRoutes(add: AddRoute, at: Act): void {
  add('post', '/void-invoice', (body) => {
    const { realmId, invoiceId } = invoiceOrder.parse(body);
    return at(realmId, (work) => ({
      Invoice: presentInvoice(work, voidInvoiceById(work, invoiceId), { withLink: true }),
    }));
  });
  add('post', '/delete-invoice', (body) => {
    const { realmId, invoiceId } = invoiceOrder.parse(body);
    return at(realmId, (work) => ({ Invoice: deletedAnswer(deleteInvoiceById(work, invoiceId)) }));
  });
  add('post', '/edit-invoice', (body) => {
    const { realmId, invoiceId, ...fields } = editInvoiceOrder.parse(body);
    return at(realmId, (work) => ({
      Invoice: presentInvoice(work, editInvoice(work, invoiceId, fields), { withLink: true }),
    }));
  });
}

function creditAndRefundRoutes(add: AddRoute, at: Act): void {
  add('post', '/credit-memo', (body) => {
    const { realmId, invoiceId, amount } = creditOrder.parse(body);
    return at(realmId, (work) => {
      const { memo, payment } = creditInvoice(work, invoiceId, amount);
      return { CreditMemo: presentCreditMemo(work, memo), Payment: presentPayment(work, payment) };
    });
  });
  add('post', '/refund-receipt', (body) => {
    const order = refundOrder.parse(body);
    return at(order.realmId, (work) => ({ RefundReceipt: presentRefundReceipt(work, refund(work, order)) }));
  });
  add('post', '/edit-refund-receipt', (body) => {
    const order = editRefundOrder.parse(body);
    return at(order.realmId, (work) => ({ RefundReceipt: presentRefundReceipt(work, editRefund(work, order)) }));
  });
  add('post', '/delete-refund-receipt', (body) => {
    const { realmId, refundReceiptId } = refundReceiptOrder.parse(body);
    return at(realmId, (work) => ({ RefundReceipt: deletedAnswer(deleteRefundById(work, refundReceiptId)) }));
  });
}
