import type { Tombstone } from '../books/model.js';
import type { Work } from '../books/work.js';
import { metaTime, parseMoment } from '../dates.js';
import { invalidProperty, requiredMissing, unsupported } from '../faults.js';
import type { JsonObject } from '../json.js';
import { executeQuery, mustFindSource } from '../query/execute.js';

const MAX_OBJECTS = 1000;

/** Everything that changed since a moment: one answer per entity asked for, deleted objects after the live ones. */
export function changedSince(work: Work, query: URLSearchParams): JsonObject {
  const entities = query.get('entities');
  const since = query.get('changedSince');
  if (!entities) throw requiredMissing('entities');
  if (!since) throw requiredMissing('changedSince');
  // An unescaped plus sign in the time offset arrives as a space and ends here.
  if (parseMoment(since) === undefined) throw invalidProperty(`changedSince ${since}`);
  const responses = entities.split(',').map((entity) => changesOf(work, entity.trim(), since));
  return { CDCResponse: [{ QueryResponse: responses }] };
}

function changesOf(work: Work, entity: string, since: string): JsonObject {
  const source = mustFindSource(entity);
  if (source.entity === 'Account') throw unsupported('change data capture of accounts');
  const active = source.isActive === undefined ? '' : ' AND Active IN (true, false)';
  const statement =
    `SELECT * FROM ${source.entity} WHERE MetaData.LastUpdatedTime >= '${since}'${active} ` +
    `ORDERBY MetaData.LastUpdatedTime MAXRESULTS ${MAX_OBJECTS}`;
  const live = executeQuery(work, statement, new Set());
  const rows = Array.isArray(live[source.entity]) ? live[source.entity] : [];
  const gone = deletedSince(work.books.tombstones, source.entity, since);
  const all = [...(rows as JsonObject[]), ...gone];
  if (all.length === 0) return {};
  const counts = { startPosition: 1, maxResults: all.length };
  return { [source.entity]: all, ...counts, ...(source.entity === 'Invoice' ? { totalCount: all.length } : {}) };
}

function deletedSince(tombstones: readonly Tombstone[], entity: string, since: string): JsonObject[] {
  const from = parseMoment(since) ?? 0;
  return tombstones
    .filter((tombstone) => tombstone.entity === entity && tombstone.deletedAt >= from)
    .map(({ id, deletedAt }) => ({
      domain: 'QBO',
      status: 'Deleted',
      Id: id,
      MetaData: { LastUpdatedTime: metaTime(deletedAt) },
    }));
}
