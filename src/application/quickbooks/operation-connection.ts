import type { Ref } from '@mikro-orm/core';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';

/** The company of an operation that is known to be one of QuickBooks. */
export function connectionOf({ id, qboConnection }: ProviderOperation): Ref<QboConnection> {
  if (!qboConnection) throw new Error(`operation ${id} is none of QuickBooks`);
  return qboConnection;
}
