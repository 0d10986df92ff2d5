import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ReconcileQboConnectionCode } from '../../../application/quickbooks/reconcile-qbo-connection.js';
import { ConferenceType } from '../conference/conference.type.js';
import { commonCodes, type QboUserError, qboUserErrorType, quickbooksCodes } from '../user-error.js';

@InputType({ description: 'The conference whose QuickBooks company is to be looked at.' })
export class ReconcileQboConnectionInput {
  @Field(() => ID, { description: 'Any conference that is connected to the company.' })
  conferenceId!: string;
}

const { IN_PROGRESS: _, ...readingCodes } = quickbooksCodes;

const ReconcileQboConnectionUserError = qboUserErrorType<ReconcileQboConnectionCode>('ReconcileQboConnection', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...readingCodes,
  INVOICES_FAILED: 'Some invoices cannot be recorded as they are; the others were, and the payload is filled.',
});

@ObjectType({ description: 'Result of `reconcileQboConnection`.' })
export class ReconcileQboConnectionPayload {
  @Field(() => ConferenceType, { nullable: true, description: 'The conference; null when nothing was done.' })
  conference?: ConferenceType | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many invoices of conferences that you see were looked at; null when nothing was done.',
  })
  invoicesChecked!: number | null;

  @Field(() => Int, { nullable: true, description: 'How many of them were not as recorded; they are now.' })
  invoicesChanged!: number | null;

  @Field(() => [ReconcileQboConnectionUserError], { description: 'Empty on success.' })
  userErrors!: QboUserError[];
}
