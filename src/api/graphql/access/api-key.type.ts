import { Field, ObjectType, registerEnumType } from 'type-graphql';
import type { ApiKeyView } from '../../../application/queries/api-keys.js';
import { ApiKeyKind } from '../../../domain/access/api-key.entity.js';
import { ConferenceRole } from '../../../domain/access/grants.js';
import { detailsComplexity } from '../complexity.js';
import { connectionType } from '../connection.js';
import { Node } from '../node/node.type.js';
import { DateTime } from '../scalars.js';

registerEnumType(ConferenceRole, {
  name: 'ConferenceRole',
  description: 'What somebody may do in a conference. Each role includes those before it.',
  valuesConfig: {
    VIEWER: { description: 'Sees everything of it.' },
    FINANCE: { description: 'Creates purchase orders, invoices them and books money.' },
    ORGANISER: { description: 'Changes it, its connections and its keys.' },
  },
});

@ObjectType('ApiKeyRole', { description: 'A role that a key has in a conference.' })
export class ApiKeyRoleType {
  @Field(() => ConferenceRole, { description: 'The role.' })
  role!: ConferenceRole;

  @Field(() => DateTime, { nullable: true, description: 'When it was taken from the key; null while it counts.' })
  endedAt!: Date | null;

  /** Not a field: its resolver follows it. */
  conferenceId!: string;
}

@ObjectType('ApiKey', {
  implements: Node,
  description:
    'Lets a program in. It grants exactly one thing: everything, roles in conferences, or a look at one purchase order. The key itself is shown once, when it is made.',
})
export class ApiKeyType extends Node {
  @Field(() => String, {
    description: 'What the audit trail calls it, besides its id; other keys may have the same name.',
  })
  name!: string;

  @Field(() => String, { description: 'Its first characters, by which people tell keys apart.' })
  prefix!: string;

  @Field(() => Boolean, { description: 'It may do everything.' })
  administrator!: boolean;

  @Field(() => [ApiKeyRoleType], {
    complexity: detailsComplexity,
    description: 'Its roles in conferences whose keys you manage, at most 100; empty when it grants something else.',
  })
  roles!: ApiKeyRoleType[];

  @Field(() => String, { description: 'Who made it, as in the audit trail.' })
  createdBy!: string;

  @Field(() => String, {
    description: 'The id of who made it: `key_…` of an API key, `jwt:` and the subject of a token, or `system`.',
  })
  createdById!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'It does not work from then on; null: no end was set.' })
  expiresAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was revoked; null while it was not.' })
  revokedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was last used, to the minute; null when never.' })
  lastUsedAt!: Date | null;

  /** Not a field: its resolver follows it. */
  purchaseOrderId!: string | null;
}

export const ApiKeyConnection = connectionType('ApiKey', ApiKeyType);

export function presentApiKey({ kind, roles, ...plain }: ApiKeyView): ApiKeyType {
  return Object.assign(new ApiKeyType(), plain, {
    administrator: kind === ApiKeyKind.ADMINISTRATOR,
    roles: roles.map((role) => Object.assign(new ApiKeyRoleType(), role)),
  });
}
