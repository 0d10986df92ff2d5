import type { Tombstone } from '../books/model.js';
import type { Work } from '../books/work.js';
import { envelopeTime, metaTime, parseMoment } from '../dates.js';
import { invalidProperty, requiredMissing, unsupported, validationFault } from '../faults.js';
import type { JsonObject } from '../json.js';
import { executeQuery, mustFindSource } from '../query/execute.js';

const MAX_OBJECTS = 1000;
const MAX_AGE_MS = 30 * 24 * 3_600_000;

/**
 * What changed since a moment: one answer per entity asked for, in that order. The answer holds 1000 objects in all and
 * there is no next page. Within an entity the earliest changes come first and deleted objects after the live ones, so
 * what is lost is the latest changes, then the deletions, then whole entities that were named last.
 */
export function changedSince(work: Work, query: URLSearchParams): JsonObject {
  const entities = query.get('entities');
  const since = query.get('changedSince');
  if (!entities) throw requiredMissing('entities');
  if (!since) throw requiredMissing('changedSince');
  // An unescaped plus sign in the time offset arrives as a space and ends here.
  const asked = parseMoment(since);
  if (asked === undefined) throw invalidProperty(`changedSince ${since}`);
  const from = withinReach(work, asked, since);
  let left = MAX_OBJECTS;
  const responses = entities.split(',').map((entity) => {
    const changes = changesOf(work, entity.trim(), from, left);
    left -= changes.objects.length;
    return present(changes);
  });
  return { CDCResponse: [{ QueryResponse: responses }] };
}

/** Older than 30 days is documented as out of reach, and recorded as an answer of 200: which one is a switch. */
function withinReach(work: Work, asked: number, since: string): number {
  const earliest = work.now - MAX_AGE_MS;
  if (asked >= earliest) return asked;
  if (work.settings.changesTooOld === 'refuse') {
    throw validationFault('2060', 'Invalid Date', `changedSince ${since} is more than 30 days ago`, 'changedSince');
  }
  return earliest;
}

interface Changes {
  readonly entity: string;
  readonly objects: readonly JsonObject[];
}

function changesOf(work: Work, name: string, from: number, limit: number): Changes {
  const source = mustFindSource(name);
  const { entity } = source;
  if (entity === 'Account') throw unsupported('change data capture of accounts');
  const active = source.isActive === undefined ? '' : ' AND Active IN (true, false)';
  const statement =
    `SELECT * FROM ${entity} WHERE MetaData.LastUpdatedTime >= '${envelopeTime(from)}'${active} ` +
    `ORDERBY MetaData.LastUpdatedTime MAXRESULTS ${limit}`;
  const live = executeQuery(work, statement, new Set())[entity];
  const gone = deletedSince(work.books.tombstones, entity, from);
  return { entity, objects: [...(Array.isArray(live) ? (live as JsonObject[]) : []), ...gone].slice(0, limit) };
}

function present({ entity, objects }: Changes): JsonObject {
  if (objects.length === 0) return {};
  const counts = { startPosition: 1, maxResults: objects.length };
  return { [entity]: objects, ...counts, ...(entity === 'Invoice' ? { totalCount: objects.length } : {}) };
}

function deletedSince(tombstones: readonly Tombstone[], entity: string, from: number): JsonObject[] {
  return tombstones
    .filter((tombstone) => tombstone.entity === entity && tombstone.deletedAt >= from)
    .map(({ id, deletedAt }) => ({
      domain: 'QBO',
      status: 'Deleted',
      Id: id,
      MetaData: { LastUpdatedTime: metaTime(deletedAt) },
    }));
}
