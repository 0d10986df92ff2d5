import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ChainedEvent, hashOf, whyBroken } from '../../../src/domain/audit/audit-chain.js';

type Facts = Omit<ChainedEvent, 'position' | 'previousHash' | 'hash'>;

/** As the database chains events. */
function chained(facts: readonly Facts[]): ChainedEvent[] {
  const events: ChainedEvent[] = [];
  for (const [index, fact] of facts.entries()) {
    const action = index === 0 ? 'purchase_order.created' : fact.action;
    const event = { ...fact, action, position: index + 1, previousHash: events.at(-1)?.hash ?? null, hash: null };
    events.push({ ...event, hash: hashOf(event) });
  }
  return events;
}

function firstProblem(events: readonly ChainedEvent[]): string | undefined {
  return events.map((event, index) => whyBroken(events[index - 1], event)).find((problem) => problem !== undefined);
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const facts = fc.record({
  id: text,
  actorId: text,
  actor: text,
  actorKind: fc.constantFrom('API_KEY', 'USER', 'SYSTEM'),
  action: text,
  subject: fc.constant('po_1'),
  before: fc.option(text),
  after: fc.option(text),
  providerRequestId: fc.option(text),
  occurredAt: fc.date({ noInvalidDate: true }),
});
const history = fc.uniqueArray(facts, { minLength: 2, maxLength: 8, selector: ({ id }) => id }).map(chained);
const place = fc.nat();

describe('a chain of audit events', () => {
  test('is whole as it was written, and so is each beginning of it', () => {
    fc.assert(
      fc.property(history, place, (events, end) => {
        expect(firstProblem(events.slice(0, end % (events.length + 1)))).toBeUndefined();
      }),
    );
  });

  test('is broken when anything in any of its events is another', () => {
    const change = fc.constantFrom<keyof Facts>(
      'id',
      'actorId',
      'actor',
      'action',
      'before',
      'after',
      'providerRequestId',
    );
    fc.assert(
      fc.property(history, place, change, text, (events, at, field, value) => {
        const index = at % events.length;
        fc.pre(events[index]?.[field] !== value);
        const altered = events.map((event, each) => (each === index ? { ...event, [field]: value } : event));
        expect(firstProblem(altered)).toBeDefined();
      }),
    );
  });

  test('is broken when an event before the last is altered together with its hash', () => {
    fc.assert(
      fc.property(history, place, (events, at) => {
        const index = at % (events.length - 1);
        const altered = events.map((event, each) => (each === index ? { ...event, actor: `${event.actor}x` } : event));
        const forged = altered.map((event, each) => (each === index ? { ...event, hash: hashOf(event) } : event));
        expect(firstProblem(forged)).toMatch(/was not written behind the one before it$/);
      }),
    );
  });

  test("is broken when an event before the last is missing, and when two are in each other's place", () => {
    fc.assert(
      fc.property(history, place, (events, at) => {
        const index = at % (events.length - 1);
        expect(firstProblem(events.toSpliced(index, 1))).toBe(`event ${index + 1} is missing`);
        const [one, other] = [events[index], events[index + 1]];
        if (!one || !other) throw new Error('there are two');
        expect(firstProblem(events.toSpliced(index, 2, other, one))).toBeDefined();
        const renumbered = [
          { ...other, position: one.position },
          { ...one, position: other.position },
        ];
        expect(firstProblem(events.toSpliced(index, 2, ...renumbered))).toBeDefined();
      }),
    );
  });
});
