import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { CreateConferenceCode } from '../../../application/conferences/create-conference.js';
import type { UpdateConferenceCode } from '../../../application/conferences/update-conference.js';
import type { ConfigureQboConnectionCode } from '../../../application/quickbooks/configure-qbo-connection.js';
import { QboEnvironment } from '../../../domain/quickbooks/qbo-connection.entity.js';
import { IDEMPOTENCY_KEY } from '../idempotency-key.js';
import { CalendarDate, CurrencyCodeEnum, DateTime } from '../scalars.js';
import { commonCodes, type UserError, userErrorType } from '../user-error.js';
import { ConferenceType } from './conference.type.js';

const LETTERHEAD =
  'Printed at the head of PDFs: address, tax number and the like. Several lines, at most 2000 characters.';

@InputType({ description: 'A conference to create.' })
export class CreateConferenceInput {
  @Field(() => String, { description: 'Name for people, at most 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'Unique name in URLs, e.g. `pycon-2027`.' })
  slug!: string;

  @Field(() => CurrencyCodeEnum, { description: 'Currency of its purchase orders.' })
  currencyCode!: string;

  @Field(() => CalendarDate, { nullable: true, description: 'First day.' })
  startDate?: string | null;

  @Field(() => CalendarDate, { nullable: true, description: 'Last day, not before the first.' })
  endDate?: string | null;

  @Field(() => String, { nullable: true, description: 'IANA time zone such as `Europe/Berlin`; `UTC` when left out.' })
  timezone?: string | null;

  @Field(() => String, { nullable: true, description: LETTERHEAD })
  letterhead?: string | null;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

@InputType({ description: 'Changes to a conference; what is left out stays as it is.' })
export class UpdateConferenceInput {
  @Field(() => ID, { description: 'The conference to change.' })
  conferenceId!: string;

  @Field(() => String, { nullable: true, description: 'New name.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'New name in URLs.' })
  slug?: string | null;

  @Field(() => CurrencyCodeEnum, {
    nullable: true,
    description: 'Currency of new purchase orders; existing ones keep theirs.',
  })
  currencyCode?: string | null;

  @Field(() => CalendarDate, { nullable: true, description: 'First day; null removes it.' })
  startDate?: string | null;

  @Field(() => CalendarDate, { nullable: true, description: 'Last day; null removes it.' })
  endDate?: string | null;

  @Field(() => String, { nullable: true, description: 'New IANA time zone.' })
  timezone?: string | null;

  @Field(() => String, { nullable: true, description: `${LETTERHEAD} Null removes it.` })
  letterhead?: string | null;
}

@InputType({
  description:
    'Connects a conference to a QuickBooks company, or reconnects that company. The tokens are proven by reading the company before anything is stored. Everything here is write-only.',
})
export class ConfigureQboConnectionInput {
  @Field(() => ID, { description: 'The conference to connect.' })
  conferenceId!: string;

  @Field(() => QboEnvironment, { description: 'Sandbox or production.' })
  environment!: QboEnvironment;

  @Field(() => String, { description: "Intuit's id of the company, from the OAuth redirect." })
  realmId!: string;

  @Field(() => String, { description: 'A current OAuth access token.' })
  accessToken!: string;

  @Field(() => String, { description: 'The refresh token that came with it.' })
  refreshToken!: string;

  @Field(() => DateTime, { nullable: true, description: 'When the access token ends; an hour from now when left out.' })
  accessTokenExpiresAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: "The Intuit app's client id; the server's own when left out. Give both or neither.",
  })
  clientId?: string | null;

  @Field(() => String, { nullable: true, description: "The Intuit app's client secret." })
  clientSecret?: string | null;

  @Field(() => String, { nullable: true, description: 'The QuickBooks item to put on invoice lines.' })
  serviceItemId?: string | null;
}

const CreateConferenceUserError = userErrorType<CreateConferenceCode>('CreateConference', {
  SLUG_TAKEN: 'Another conference has this slug.',
  INVALID: commonCodes.INVALID,
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
});

const UpdateConferenceUserError = userErrorType<UpdateConferenceCode>('UpdateConference', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  SLUG_TAKEN: 'Another conference has this slug.',
  INVALID: commonCodes.INVALID,
});

const ConfigureQboConnectionUserError = userErrorType<ConfigureQboConnectionCode>('ConfigureQboConnection', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  INVALID: 'A field is not acceptable, no Intuit app is known, or QuickBooks does not accept the tokens.',
  REALM_MISMATCH: 'The tokens do not open this company, or the conference has live invoices in another one.',
  QBO_UNAVAILABLE: 'QuickBooks could not be asked; nothing was stored.',
  SHARED_COMPANY:
    'The conference was connected, but conferences of other organisers use the company, too, so its item stays; the payload is filled.',
});

@ObjectType()
abstract class ConferencePayload {
  @Field(() => ConferenceType, { nullable: true, description: 'The conference; null when nothing was done.' })
  conference?: ConferenceType | null;
}

@ObjectType({ description: 'Result of `createConference`.' })
export class CreateConferencePayload extends ConferencePayload {
  @Field(() => [CreateConferenceUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `updateConference`.' })
export class UpdateConferencePayload extends ConferencePayload {
  @Field(() => [UpdateConferenceUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `configureQboConnection`.' })
export class ConfigureQboConnectionPayload extends ConferencePayload {
  @Field(() => [ConfigureQboConnectionUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}
