import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { CreateApiKeyCode } from '../../../application/access/create-api-key.js';
import type { RevokeApiKeyCode } from '../../../application/access/revoke-api-key.js';
import { ConferenceRole } from '../../../domain/access/grants.js';
import { DateTime } from '../scalars.js';
import { commonCodes, type UserError, userErrorType } from '../user-error.js';
import { ApiKeyType } from './api-key.type.js';

@InputType({ description: 'A role to grant in a conference where you are organiser.' })
export class ApiKeyRoleInput {
  @Field(() => ID, { description: 'The conference.' })
  conferenceId!: string;

  @Field(() => ConferenceRole, { description: 'The role.' })
  role!: ConferenceRole;
}

@InputType({ description: 'The key to make. Give exactly one of `administrator`, `roles` and `purchaseOrderId`.' })
export class CreateApiKeyInput {
  @Field(() => String, {
    description:
      'What the audit trail is to call it, besides its id: 1 to 100 characters. Other keys may have the same name.',
  })
  name!: string;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it is to stop working, not after the key or token that makes it; left out, it works until revoked.',
  })
  expiresAt?: Date | null;

  @Field(() => Boolean, { nullable: true, description: 'It may do everything. For administrators to grant.' })
  administrator?: boolean | null;

  @Field(() => [ApiKeyRoleInput], { nullable: true, description: '1 to 100 roles, each in another conference.' })
  roles?: ApiKeyRoleInput[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The one purchase order that the portal of its buyer is to see, without what is internal.',
  })
  purchaseOrderId?: string | null;
}

const CreateApiKeyUserError = userErrorType<CreateApiKeyCode>('CreateApiKey', {
  INVALID: commonCodes.INVALID,
  NOT_FOUND: commonCodes.NOT_FOUND,
});

@ObjectType({ description: 'Result of `createApiKey`.' })
export class CreateApiKeyPayload {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key; null when none was made.' })
  apiKey?: ApiKeyType | null;

  @Field(() => String, {
    nullable: true,
    description: 'What to send as `Authorization: Bearer …`. Shown this once: only a hash of it is stored.',
  })
  secret?: string | null;

  @Field(() => [CreateApiKeyUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@InputType({ description: 'The key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Its id, `key_…`.' })
  apiKeyId!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Also end the keys that were made with it, and with those, as far as you manage them.',
  })
  descendants?: boolean | null;
}

const RevokeApiKeyUserError = userErrorType<RevokeApiKeyCode>('RevokeApiKey', { NOT_FOUND: commonCodes.NOT_FOUND });

@ObjectType({ description: 'Result of `revokeApiKey`.' })
export class RevokeApiKeyPayload {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key as it is now; null when nothing was done.' })
  apiKey?: ApiKeyType | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many keys this ended, or took a role from; 0 when that was done before.',
  })
  ended?: number | null;

  @Field(() => [RevokeApiKeyUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}
