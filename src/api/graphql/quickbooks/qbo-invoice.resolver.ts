import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { createQboInvoice } from '../../../application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../../application/quickbooks/send-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../../application/quickbooks/sync-qbo-invoice-status.js';
import type { GraphQLContext } from '../context.js';
import { invoicePayload } from '../invoice/invoice-payload.js';
import {
  CreateQboInvoiceInput,
  CreateQboInvoicePayload,
  SendQboInvoiceInput,
  SendQboInvoicePayload,
  SyncQboInvoiceStatusInput,
  SyncQboInvoiceStatusPayload,
} from './qbo-invoice.inputs.js';

@Resolver()
export class QboInvoiceResolver {
  @Mutation(() => CreateQboInvoicePayload, {
    nullable: true,
    description:
      'Creates the invoice in QuickBooks, with every line, and marks a draft as sent. Calling it again, even at the same time, never makes a second invoice.',
  })
  async createQboInvoice(
    @Arg('input', { description: 'What to invoice.' }) input: CreateQboInvoiceInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => createQboInvoice(useCase, input)));
  }

  @Mutation(() => SendQboInvoicePayload, {
    nullable: true,
    description: 'Has QuickBooks e-mail the invoice. May be repeated; a failure leaves the invoice as it is.',
  })
  async sendQboInvoice(
    @Arg('input', { description: 'What to e-mail.' }) input: SendQboInvoiceInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => sendQboInvoice(useCase, input)));
  }

  @Mutation(() => SyncQboInvoiceStatusPayload, {
    nullable: true,
    description:
      'Reads the invoice and its payments from QuickBooks now and books what changed. Webhooks do the same by themselves.',
  })
  async syncQboInvoiceStatus(
    @Arg('input', { description: 'What to read.' }) input: SyncQboInvoiceStatusInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => syncQboInvoiceStatus(useCase, input)));
  }
}
