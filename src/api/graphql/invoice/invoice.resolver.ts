import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { switchInvoiceProvider } from '../../../application/invoicing/switch-invoice-provider.js';
import { detailsComplexity } from '../complexity.js';
import type { GraphQLContext } from '../context.js';
import { SwitchInvoiceProviderInput, SwitchInvoiceProviderPayload } from './invoice.inputs.js';
import { InvoiceEventType, InvoiceType, presentInvoiceEvent } from './invoice.type.js';
import { invoicePayload } from './invoice-payload.js';

@Resolver(() => InvoiceType)
export class InvoiceResolver {
  @FieldResolver(() => [InvoiceEventType], {
    nullable: true,
    complexity: detailsComplexity,
    description: 'What happened to it, oldest first; the most recent hundred things. Null for a buyer portal.',
  })
  async history(@Root() { id }: InvoiceType, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.historyOfInvoice.load(id)).map(presentInvoiceEvent);
  }

  @Mutation(() => SwitchInvoiceProviderPayload, {
    nullable: true,
    description:
      'Voids the unpaid invoice at one provider, makes sure that it is void, then creates one at the other. Goes on by itself where it was interrupted; calling it again never makes a second invoice.',
  })
  async switchInvoiceProvider(
    @Arg('input', { description: 'Which order, and who is to invoice it.' }) input: SwitchInvoiceProviderInput,
    @Ctx() context: GraphQLContext,
  ) {
    return invoicePayload(context, await context.mutate((useCase) => switchInvoiceProvider(useCase, input)));
  }
}
