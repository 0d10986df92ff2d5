import type { MikroORM } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { openIfPossible, type SecretBox } from '../../application/ports/secrets.js';
import { recording } from '../../application/transaction.js';
import type { Waits } from '../../application/waits.js';
import type { StripeKeyStore } from './client.js';

const sealedKeys = z.array(z.object({ secret_key: z.string() }));

/** The secret keys of connections, sealed in the database. Single statements: nothing stays locked while Stripe is asked. */
export class PostgresKeyStore implements StripeKeyStore {
  readonly #orm: MikroORM;
  readonly #secrets: SecretBox;
  readonly #waits: Pick<Waits, 'recordingRetryMs'>;

  constructor(orm: MikroORM, secrets: SecretBox, waits: Pick<Waits, 'recordingRetryMs'>) {
    this.#orm = orm;
    this.#secrets = secrets;
    this.#waits = waits;
  }

  async secretKeyOf(connectionId: string): Promise<string | undefined> {
    const sealed = await this.#sealedKeyOf(connectionId);
    return sealed === undefined ? undefined : openIfPossible(this.#secrets, sealed);
  }

  /** A person must bring another key. One that replaced the refused one meanwhile is not meant. */
  async refuse(connectionId: string, secretKey: string): Promise<void> {
    const sealed = await this.#sealedKeyOf(connectionId);
    if (sealed === undefined || (await openIfPossible(this.#secrets, sealed)) !== secretKey) return;
    await recording(this.#waits, () =>
      this.#execute(
        `update stripe_connection set status = 'RECONNECT_REQUIRED', updated_at = now() where id = ? and secret_key = ?`,
        [connectionId, sealed],
      ),
    );
  }

  async #sealedKeyOf(connectionId: string): Promise<string | undefined> {
    const rows = await this.#execute(`select secret_key from stripe_connection where id = ? and status = 'CONNECTED'`, [
      connectionId,
    ]);
    return sealedKeys.parse(rows)[0]?.secret_key;
  }

  #execute(text: string, params: unknown[]): Promise<unknown[]> {
    return this.#orm.em.fork().execute(text, params);
  }
}
