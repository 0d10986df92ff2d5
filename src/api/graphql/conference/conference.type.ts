import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { Conference } from '../../../domain/conference/conference.entity.js';
import {
  type QboConnection,
  QboConnectionStatus,
  QboEnvironment,
} from '../../../domain/quickbooks/qbo-connection.entity.js';
import { connectionType } from '../connection.js';
import { Node } from '../node/node.type.js';
import { CalendarDate, CurrencyCodeEnum, DateTime } from '../scalars.js';

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

@ObjectType('Conference', {
  implements: Node,
  description: 'A conference; its purchase orders are invoiced through its provider connections.',
})
export class ConferenceType extends Node {
  @Field(() => String, { description: 'Its name in URLs, unique: lower-case letters, digits and hyphens.' })
  slug!: string;

  @Field(() => String, { description: 'Its name for people, at most 200 characters.' })
  name!: string;

  @Field(() => CalendarDate, { nullable: true, description: 'First day.' })
  startDate!: string | null;

  @Field(() => CalendarDate, { nullable: true, description: 'Last day.' })
  endDate!: string | null;

  @Field(() => String, { description: 'IANA time zone; decides which day an invoice is dated.' })
  timezone!: string;

  @Field(() => CurrencyCodeEnum, { description: 'The currency that new purchase orders get.' })
  currencyCode!: string;

  /** Not a field: the resolver follows it. */
  qboConnectionId!: string | null;
}

@ObjectType('QboConnection', {
  description: 'A QuickBooks company, shared by all conferences that are connected to it. Its secrets are never shown.',
})
export class QboConnectionType {
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

  @Field(() => ID, { nullable: true, description: 'The QuickBooks item configured for invoice lines, if any.' })
  serviceItemId!: string | null;

  /** Not a field: resolvers follow it. */
  connectionId!: string;
}

export const ConferenceConnection = connectionType('Conference', ConferenceType);

export function presentConference(conference: Conference): ConferenceType {
  return Object.assign(new ConferenceType(), {
    id: conference.id,
    slug: conference.slug,
    name: conference.name,
    startDate: conference.startDate,
    endDate: conference.endDate,
    timezone: conference.timezone,
    currencyCode: conference.currencyCode,
    qboConnectionId: conference.qboConnection?.id ?? null,
  });
}

export function presentQboConnection(connection: QboConnection): QboConnectionType {
  return Object.assign(new QboConnectionType(), {
    realmId: connection.realmId,
    environment: connection.environment,
    companyName: connection.companyName,
    status: connection.status,
    accessTokenExpiresAt: connection.accessTokenExpiresAt,
    refreshTokenExpiresAt: connection.refreshTokenExpiresAt,
    serviceItemId: connection.serviceItemId,
    connectionId: connection.id,
  });
}
