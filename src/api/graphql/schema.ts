import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { ApiKeyResolver, ApiKeyRoleResolver } from './access/api-key.resolver.js';
import { applyAccessRules } from './apply-access-rules.js';
import { BulkInvoicingItemResolver, BulkInvoicingResolver } from './bulk-invoicing/bulk-invoicing.resolver.js';
import { BulkInvoicingSubscriptions } from './bulk-invoicing/bulk-invoicing.subscriptions.js';
import { ConferenceResolver } from './conference/conference.resolver.js';
import { FinanceResolver } from './finance/finance.resolver.js';
import { InvoiceResolver } from './invoice/invoice.resolver.js';
import { NodeResolver } from './node/node.resolver.js';
import { PurchaseOrderFieldResolver, resolveDirectly } from './purchase-order/purchase-order.field-resolver.js';
import { PurchaseOrderResolver } from './purchase-order/purchase-order.resolver.js';
import { PurchaseOrderSubscriptions } from './purchase-order/purchase-order.subscriptions.js';
import { QboConnectionResolver } from './quickbooks/qbo-connection.resolver.js';
import { QboInvoiceResolver } from './quickbooks/qbo-invoice.resolver.js';
import { DateTime } from './scalars.js';
import { StripeConnectionResolver } from './stripe/stripe-connection.resolver.js';
import { StripeInvoiceResolver } from './stripe/stripe-invoice.resolver.js';
import { WebhookEventResolver } from './webhook/webhook-event.resolver.js';

/**
 * Inputs are checked by the use cases, which name every offending field, so type-graphql's validation is off. Who may
 * enter is said in the access rules; without a rule for everything there is no schema.
 */
export function buildGraphQLSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      ApiKeyResolver,
      ApiKeyRoleResolver,
      BulkInvoicingItemResolver,
      BulkInvoicingResolver,
      BulkInvoicingSubscriptions,
      ConferenceResolver,
      FinanceResolver,
      InvoiceResolver,
      NodeResolver,
      PurchaseOrderFieldResolver,
      PurchaseOrderResolver,
      PurchaseOrderSubscriptions,
      QboConnectionResolver,
      QboInvoiceResolver,
      StripeConnectionResolver,
      StripeInvoiceResolver,
      WebhookEventResolver,
    ],
    scalarsMap: [{ type: Date, scalar: DateTime }],
    validate: false,
    pubSub: NO_TOPICS,
  });
  resolveDirectly(schema);
  applyAccessRules(schema);
  return schema;
}

/** Subscriptions watch the database themselves; type-graphql asks for something to publish topics with all the same. */
const NO_TOPICS = {
  publish: (topic: string) => nobodyPublishes(topic),
  subscribe: (topic: string) => nobodyPublishes(topic),
};

function nobodyPublishes(topic: string): never {
  throw new Error(`nobody publishes the topic ${topic}`);
}
