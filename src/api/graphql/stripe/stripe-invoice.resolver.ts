import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { createStripeInvoice } from '../../../application/stripe/create-stripe-invoice.js';
import { sendStripeInvoice } from '../../../application/stripe/send-stripe-invoice.js';
import { syncStripeInvoiceStatus } from '../../../application/stripe/sync-stripe-invoice-status.js';
import type { GraphQLContext } from '../context.js';
import { invoicePayload } from '../invoice/invoice-payload.js';
import {
  CreateStripeInvoiceInput,
  CreateStripeInvoicePayload,
  SendStripeInvoiceInput,
  SendStripeInvoicePayload,
  SyncStripeInvoiceStatusInput,
  SyncStripeInvoiceStatusPayload,
} from './stripe-invoice.inputs.js';

@Resolver()
export class StripeInvoiceResolver {
  @Mutation(() => CreateStripeInvoicePayload, {
    nullable: true,
    description:
      'Creates the invoice in Stripe, with every line, and marks a draft as sent. Calling it again, even at the same time, never makes a second invoice.',
  })
  async createStripeInvoice(
    @Arg('input', { description: 'What to invoice.' }) input: CreateStripeInvoiceInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => createStripeInvoice(useCase, input)));
  }

  @Mutation(() => SendStripeInvoicePayload, {
    nullable: true,
    description: 'Has Stripe e-mail the invoice. May be repeated; a failure leaves the invoice as it is.',
  })
  async sendStripeInvoice(
    @Arg('input', { description: 'What to e-mail.' }) input: SendStripeInvoiceInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => sendStripeInvoice(useCase, input)));
  }

  @Mutation(() => SyncStripeInvoiceStatusPayload, {
    nullable: true,
    description:
      'Reads the invoice and its payments from Stripe now and books what changed. Webhooks do the same by themselves.',
  })
  async syncStripeInvoiceStatus(
    @Arg('input', { description: 'What to read.' }) input: SyncStripeInvoiceStatusInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => syncStripeInvoiceStatus(useCase, input)));
  }
}
