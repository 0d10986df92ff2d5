import type { MikroORM } from '@mikro-orm/postgresql';
import {
  QboConnection,
  QboConnectionStatus,
  QboEnvironment,
} from '../../../src/domain/quickbooks/qbo-connection.entity.js';

let nextRealm = 1;

/** A connected company, by default with an access token that has run out. Secrets are what `markingBox` makes of them. */
export async function insertConnection(orm: MikroORM, fields: Partial<QboConnection> = {}): Promise<QboConnection> {
  const em = orm.em.fork();
  const now = new Date();
  const realmId = `${nextRealm++}`;
  const connection = em.create(QboConnection, {
    id: `qbo_${realmId}`,
    environment: QboEnvironment.SANDBOX,
    realmId,
    companyName: 'Conf Inc',
    status: QboConnectionStatus.CONNECTED,
    simulated: false,
    accessToken: 'sealed(access-1)',
    refreshToken: 'sealed(refresh-1)',
    accessTokenExpiresAt: new Date(now.getTime() - 1000),
    refreshTokenExpiresAt: new Date('2027-01-01T00:00:00Z'),
    createdAt: now,
    updatedAt: now,
    ...fields,
  });
  await em.flush();
  return connection;
}

/** The whole row, secrets included. */
export async function readConnection(orm: MikroORM, id: string): Promise<QboConnection> {
  return orm.em.fork().findOneOrFail(QboConnection, id, {
    populate: ['accessToken', 'refreshToken', 'previousRefreshToken', 'clientSecret'],
  });
}
