import type { Ref } from '@mikro-orm/core';
import { Entity, Enum, ManyToOne, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { Conference } from '../conference/conference.entity.js';
import { ApiKey } from './api-key.entity.js';
import { ConferenceRole } from './grants.js';

/** A role that a key has in a conference; one at most in each. It can end, and nothing else changes. */
@Entity({ tableName: 'api_key_role' })
@Trigger({
  name: 'api_key_role_is_fixed',
  timing: 'before',
  events: ['update', 'delete'],
  body: `if tg_op = 'UPDATE' and old.ended_at is null
      and (new.api_key_id, new.conference_id, new.role) is not distinct from (old.api_key_id, old.conference_id, old.role)
    then return new;
    end if;
    raise exception 'what an API key grants never changes' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'api_key_role_of_kind_roles',
  timing: 'before',
  events: ['insert'],
  body: `if not exists (select from api_key where id = new.api_key_id and kind = 'ROLES')
    then raise exception 'only an API key of the kind ROLES has roles' using errcode = 'restrict_violation';
    end if;
    return new;`,
})
export class ApiKeyRole {
  @ManyToOne(() => ApiKey, { ref: true, primary: true, deleteRule: 'restrict' })
  apiKey!: Ref<ApiKey>;

  @ManyToOne(() => Conference, { ref: true, primary: true, deleteRule: 'restrict', index: true })
  conference!: Ref<Conference>;

  @Enum({ items: () => ConferenceRole, columnType: 'text' })
  role!: ConferenceRole;

  /** An organiser of the conference took it away, or the key was revoked. For good. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  endedAt: Date | null = null;
}
