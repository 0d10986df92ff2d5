import type { EventArgs, EventManager, EventSubscriber } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { openIfPossible, type SecretBox } from '../application/ports/secrets.js';
import { Conference } from '../domain/conference/conference.entity.js';
import { StripeConnection } from '../domain/stripe/stripe-connection.entity.js';
import type { StripeSimulator } from '../simulators/stripe/simulator.js';
import { callControl, getControl } from './local-simulators.js';

interface Endpoint {
  readonly accountId: string;
  readonly url: string;
  readonly secret: string;
}

const accountsSchema = z.object({ accounts: z.array(z.object({ accountId: z.string() })) });

export interface StripeEndpointsParts {
  readonly simulator: StripeSimulator;
  readonly serverUrl: string;
  readonly secrets: SecretBox;
  readonly forkEntityManager: () => EntityManager;
}

/**
 * Has the local simulator send events to every conference that uses it, as a person sees to in Stripe's dashboard: to
 * those there are, and to each one as it is configured.
 */
export class StripeEndpoints implements EventSubscriber<StripeConnection> {
  readonly #parts: StripeEndpointsParts;
  /** By the id of the conference. */
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(parts: StripeEndpointsParts) {
    this.#parts = parts;
  }

  /** From here on it notices whatever is configured through these. */
  async register(managers: readonly EventManager[]): Promise<void> {
    const em = this.#parts.forkEntityManager();
    for (const manager of managers) manager.registerSubscriber(this);
    const populate = ['conference', 'webhookSecret'] as const;
    for (const connection of await em.find(StripeConnection, { simulated: true }, { populate })) {
      await this.#add(connection, connection.conference.getEntity().slug);
    }
    await this.#tell();
  }

  getSubscribedEntities() {
    return [StripeConnection];
  }

  async afterCreate({ entity }: EventArgs<StripeConnection>): Promise<void> {
    await this.#follow(entity);
  }

  async afterUpdate({ entity, changeSet }: EventArgs<StripeConnection>): Promise<void> {
    if (changeSet?.payload.webhookSecret !== undefined) await this.#follow(entity);
  }

  async #follow(connection: StripeConnection): Promise<void> {
    if (!connection.simulated) return;
    const { slug } = await this.#parts.forkEntityManager().findOneOrFail(Conference, connection.conference.id);
    await this.#add(connection, slug);
    await this.#tell();
  }

  async #add({ accountId, conference, webhookSecret }: StripeConnection, slug: string): Promise<void> {
    const { serverUrl, secrets } = this.#parts;
    const opened = await openIfPossible(secrets, webhookSecret);
    if (opened === undefined) return;
    const [secret = ''] = opened.split(',');
    const url = `${serverUrl}/webhooks/stripe/${slug}`;
    this.#endpoints.set(conference.id, { accountId, url, secret: secret.trim() });
  }

  async #tell(): Promise<void> {
    const { simulator } = this.#parts;
    const { accounts } = accountsSchema.parse(await getControl(simulator, '/accounts'));
    for (const { accountId } of accounts) {
      const own = [...this.#endpoints.values()].filter((endpoint) => endpoint.accountId === accountId);
      const webhooks = own.map(({ url, secret }) => ({ url, secret }));
      await callControl(simulator, 'PATCH', `/accounts/${accountId}`, { webhooks });
    }
  }
}
