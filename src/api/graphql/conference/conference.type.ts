import { Field, ObjectType } from 'type-graphql';
import type { ConferenceView } from '../../../application/queries/purchase-order-relations.js';
import { connectionType } from '../connection.js';
import { Node } from '../node/node.type.js';
import { CalendarDate, CurrencyCodeEnum } from '../scalars.js';

@ObjectType('Conference', {
  implements: Node,
  simpleResolvers: true,
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

  @Field(() => String, { description: 'Printed at the head of PDFs; several lines, may be empty.' })
  letterhead!: string;

  /** Not a field: the resolver follows it. */
  qboConnectionId!: string | null;
}

export const ConferenceConnection = connectionType('Conference', ConferenceType);

export function presentConference(conference: ConferenceView): ConferenceType {
  return Object.assign(new ConferenceType(), {
    id: conference.id,
    slug: conference.slug,
    name: conference.name,
    startDate: conference.startDate,
    endDate: conference.endDate,
    timezone: conference.timezone,
    currencyCode: conference.currencyCode,
    letterhead: conference.letterhead,
    qboConnectionId: conference.qboConnection?.id ?? null,
  });
}
