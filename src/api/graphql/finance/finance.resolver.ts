import { Arg, Args, ArgsType, Ctx, Field, ID, Query, Resolver } from 'type-graphql';
import { hasRoleIn } from '../../../application/access/permissions.js';
import { findCollected } from '../../../application/queries/collected.js';
import { countOutstanding, listOutstanding } from '../../../application/queries/outstanding.js';
import { findReceivables } from '../../../application/queries/receivables.js';
import { ConferenceRole } from '../../../domain/access/grants.js';
import { isCalendarDay } from '../../../domain/clock.js';
import { pageComplexity } from '../complexity.js';
import { ConnectionArgs, toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { badUserInput } from '../errors.js';
import { CalendarDate, CurrencyCodeEnum } from '../scalars.js';
import {
  CollectedType,
  OrganizationBalanceConnection,
  presentCollected,
  presentOrganizationBalance,
  presentReceivables,
  ReceivablesType,
} from './finance.type.js';

/** Years of a report; the answer has a row a month, method and currency. */
const MAX_YEARS = 3;

@ArgsType()
class OutstandingArgs extends ConnectionArgs {
  @Field(() => ID, { description: 'Of this conference.' })
  conferenceId!: string;

  @Field(() => CurrencyCodeEnum, {
    nullable: true,
    description: "In this currency; in the conference's when left out.",
  })
  currencyCode?: string;
}

/** Summaries for finance. Each is one statement; null for a conference that is unknown, or that the actor does not see. */
@Resolver()
export class FinanceResolver {
  @Query(() => [ReceivablesType], {
    nullable: true,
    description:
      'What is due of a conference, by currency and age. Counts orders that were sent, invoiced or paid in part; not drafts, cancelled ones, and overpaid ones, whose surplus lowers nothing. Balances are those of now. Null when there is no such conference.',
  })
  async receivables(
    @Ctx() context: GraphQLContext,
    @Arg('conferenceId', () => ID, { description: 'Of this conference.' }) conferenceId: string,
    @Arg('asOf', () => CalendarDate, {
      nullable: true,
      description: "The day to count ages to; today in the conference's time zone when left out.",
    })
    asOf?: string,
  ) {
    if (asOf != null) requireDay('asOf', asOf);
    if (!hasRoleIn(context.actor, conferenceId, ConferenceRole.VIEWER)) return null;
    const rows = await findReceivables(context.em, conferenceId, asOf ?? null);
    return (await isKnown(context, conferenceId, rows)) ? rows.map(presentReceivables) : null;
  }

  @Query(() => [CollectedType], {
    nullable: true,
    description:
      'Money that came for a conference by month of the day it arrived, currency and method; oldest month first. A reversed payment counts in no month, as if it had never come; a payment that its provider changed counts as it is now. Money for cancelled orders counts until it is reversed; credits are no money. Null when there is no such conference.',
  })
  async collected(
    @Ctx() context: GraphQLContext,
    @Arg('conferenceId', () => ID, { description: 'Of this conference.' }) conferenceId: string,
    @Arg('from', () => CalendarDate, { description: 'First day.' }) from: string,
    @Arg('to', () => CalendarDate, { description: `Last day, within ${MAX_YEARS} years.` }) to: string,
  ) {
    requireSpan(from, to);
    if (!hasRoleIn(context.actor, conferenceId, ConferenceRole.VIEWER)) return null;
    const rows = await findCollected(context.em, conferenceId, { from, to });
    return (await isKnown(context, conferenceId, rows)) ? rows.map(presentCollected) : null;
  }

  @Query(() => OrganizationBalanceConnection, {
    nullable: true,
    complexity: pageComplexity,
    description:
      'What organisations owe of a conference in one currency, the largest sum first. Counts the same orders as `receivables`. Null when there is no such conference.',
  })
  async outstandingByOrganization(@Ctx() context: GraphQLContext, @Args(() => OutstandingArgs) args: OutstandingArgs) {
    const { em, actor } = context;
    if (!hasRoleIn(actor, args.conferenceId, ConferenceRole.VIEWER)) return null;
    const page = await listOutstanding(em, args);
    if (!(await isKnown(context, args.conferenceId, page.items))) return null;
    return toConnection(page, presentOrganizationBalance, () => countOutstanding(em, args));
  }
}

/** Whether there is such a conference; asked for only where nothing of it was found. Administrators may name any, and tokens, too. */
async function isKnown({ loaders }: GraphQLContext, conferenceId: string, found: readonly unknown[]): Promise<boolean> {
  return found.length > 0 || (await loaders.conference.load(conferenceId)) !== undefined;
}

function requireSpan(from: string, to: string): void {
  requireDay('from', from);
  requireDay('to', to);
  const limit = new Date(from);
  limit.setUTCFullYear(limit.getUTCFullYear() + MAX_YEARS);
  if (from > to) throw badUserInput('"to" is before "from".');
  if (new Date(to) >= limit) throw badUserInput(`"to" must be within ${MAX_YEARS} years of "from".`);
}

/** The scalar takes days of a year 0, which PostgreSQL does not know. */
function requireDay(name: string, day: string): void {
  if (!isCalendarDay(day)) throw badUserInput(`"${name}" is not a day of the calendar.`);
}
