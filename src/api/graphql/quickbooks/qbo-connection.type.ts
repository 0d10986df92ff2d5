import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import {
  type QboConnection,
  QboConnectionStatus,
  QboEnvironment,
} from '../../../domain/quickbooks/qbo-connection.entity.js';
import { DateTime } from '../scalars.js';

registerEnumType(QboEnvironment, {
  name: 'QboEnvironment',
  description: "Which of Intuit's two worlds a company lives in.",
  valuesConfig: {
    SANDBOX: { description: 'A test company, opened with development keys.' },
    PRODUCTION: { description: 'A real company.' },
  },
});

registerEnumType(QboConnectionStatus, {
  name: 'QboConnectionStatus',
  description: 'Whether a QuickBooks company can be reached.',
  valuesConfig: {
    CONNECTED: { description: 'Working.' },
    RECONNECT_REQUIRED: { description: 'The authorisation has ended; a person must connect the company again.' },
  },
});

@ObjectType('QboConnection', {
  description: 'A QuickBooks company, shared by all conferences that are connected to it. Its secrets are never shown.',
})
export class QboConnectionType {
  /** Not a field: its resolver finds the usage by it. */
  connectionId!: string;

  @Field(() => ID, { description: "Intuit's id of the company." })
  realmId!: string;

  @Field(() => QboEnvironment, { description: 'Sandbox or production.' })
  environment!: QboEnvironment;

  @Field(() => String, { description: "The company's name as QuickBooks has it." })
  companyName!: string;

  @Field(() => QboConnectionStatus, { description: 'Whether it works.' })
  status!: QboConnectionStatus;

  @Field(() => DateTime, { description: 'When the present access token ends; it is renewed by itself before that.' })
  accessTokenExpiresAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the refresh token ends if it is not used; null when Intuit has not said.',
  })
  refreshTokenExpiresAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When a person must connect the company anew at the latest, five years after the last time; null when Intuit has not said.',
  })
  refreshTokenHardExpiresAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'QuickBooks asked to be left alone: nothing is read until then. Null when reading is not paused.',
  })
  readsPausedUntil!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'QuickBooks asked to be left alone: nothing is written until then. Null when writing is not paused.',
  })
  writesPausedUntil!: Date | null;

  @Field(() => ID, { nullable: true, description: 'The QuickBooks item configured for invoice lines, if any.' })
  serviceItemId!: string | null;
}

@ObjectType('QboUsage', {
  description: 'Successful calls to a QuickBooks company in one month. The latest seconds may be missing.',
})
export class QboUsageType {
  @Field(() => String, { description: 'The month in UTC, as `2026-11`.' })
  month!: string;

  @Field(() => Int, { description: 'Reads, which Intuit meters: a monthly quota applies to them.' })
  reads!: number;

  @Field(() => Int, { description: 'Writes, which Intuit does not meter.' })
  writes!: number;
}

export function presentQboConnection(connection: QboConnection): QboConnectionType {
  return Object.assign(new QboConnectionType(), {
    connectionId: connection.id,
    realmId: connection.realmId,
    environment: connection.environment,
    companyName: connection.companyName,
    status: connection.status,
    accessTokenExpiresAt: connection.accessTokenExpiresAt,
    refreshTokenExpiresAt: connection.refreshTokenExpiresAt,
    refreshTokenHardExpiresAt: connection.refreshTokenHardExpiresAt,
    readsPausedUntil: ifAhead(connection.readsPausedUntil),
    writesPausedUntil: ifAhead(connection.writesPausedUntil),
    serviceItemId: connection.serviceItemId,
  });
}

/** The time of a pause that is over stays in the database until a call succeeds. */
function ifAhead(until: Date | null): Date | null {
  return until !== null && until.getTime() > Date.now() ? until : null;
}
