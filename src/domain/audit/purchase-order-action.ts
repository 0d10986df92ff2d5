/** What can happen to a purchase order, as the audit trail calls it. */
export enum PurchaseOrderAction {
  PURCHASE_ORDER_CREATED = 'purchase_order.created',
  PURCHASE_ORDER_SENT = 'purchase_order.sent',
  PURCHASE_ORDER_CANCELLED = 'purchase_order.cancelled',
  INVOICE_CREATED = 'invoice.created',
  INVOICE_EMAILED = 'invoice.emailed',
  INVOICE_CHANGED_AT_PROVIDER = 'invoice.changed_at_provider',
  INVOICE_VOID_REQUESTED = 'invoice.void_requested',
  INVOICE_VOIDED = 'invoice.voided',
  INVOICE_SWITCH_REQUESTED = 'invoice.switch_requested',
  INVOICE_SWITCH_GIVEN_UP = 'invoice.switch_given_up',
  INVOICE_SWITCHED = 'invoice.switched',
  PAYMENT_RECORDED = 'payment.recorded',
  PAYMENT_REVERSED = 'payment.reversed',
  PAYMENTS_BOOKED_FROM_PROVIDER = 'payments.booked_from_provider',
  CREDIT_NOTE_ISSUED = 'credit_note.issued',
  REFUND_RECEIPT_NOTED = 'refund_receipt.noted',
}
