import { Field, ID, InterfaceType } from 'type-graphql';

/** Which GraphQL type an id belongs to can be read off its prefix. */
const TYPE_BY_PREFIX: Readonly<Record<string, string>> = {
  conf: 'Conference',
  po: 'PurchaseOrder',
  pay: 'Payment',
  cn: 'CreditNote',
  inv: 'Invoice',
  evt: 'WebhookEvent',
  key: 'ApiKey',
  bulk: 'BulkInvoicing',
};

export function typeNameOfId(id: string): string | undefined {
  return TYPE_BY_PREFIX[id.slice(0, Math.max(0, id.indexOf('_')))];
}

@InterfaceType({
  description: 'An object with an id that is unique across all types.',
  resolveType: (value: { id: string }) => typeNameOfId(value.id),
})
export abstract class Node {
  @Field(() => ID, { description: 'Unique across all types; its prefix tells the type, e.g. `po_…`.' })
  id!: string;
}
