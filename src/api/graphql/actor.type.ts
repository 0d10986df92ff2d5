import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { ActorKind } from '../../domain/audit/actor.js';

registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'What kind of actor did something.',
  valuesConfig: {
    API_KEY: { description: 'A program or person with an API key.' },
    USER: { description: "A person, logged in at the organiser's identity provider." },
    SYSTEM: { description: 'A part of this server, which acts on what a provider says.' },
  },
});

@ObjectType({ description: 'Who or what did something.', simpleResolvers: true })
export class Actor {
  @Field(() => ID, {
    description:
      "Who it is, for ever: an API key's id, `jwt:` and the subject of a token, or `system`. `unknown` of some events of the time before ids were kept.",
  })
  id!: string;

  @Field(() => String, {
    description:
      "An API key's or a person's name, or the part of the system: `quickbooks`. A name can be somebody else's later.",
  })
  name!: string;

  @Field(() => ActorKind, { description: 'What kind of actor it is.' })
  kind!: ActorKind;
}
