import { nearestSecond } from '../dates.js';
import type { Company, EntityName } from './model.js';

export type ChangeOperation = 'created' | 'updated' | 'deleted' | 'void' | 'emailed';

export interface Change {
  readonly realmId: string;
  readonly entity: EntityName;
  readonly entityId: string;
  readonly operation: ChangeOperation;
  readonly at: number;
}

/** One request's work on one company's books: a single moment in time and the changes to announce afterwards. */
export class Work {
  readonly changes: Change[] = [];

  constructor(
    readonly company: Company,
    /** The moment to the millisecond; the books keep whole seconds. */
    readonly now: number,
  ) {}

  get books() {
    return this.company.books;
  }

  get settings() {
    return this.company.settings;
  }

  get recordedAt(): number {
    return nearestSecond(this.now);
  }

  announce(entity: EntityName, entityId: string, operation: ChangeOperation): void {
    // One event for an object that changed several times in one request.
    const repeated = this.changes.some(
      (change) => change.entity === entity && change.entityId === entityId && change.operation === operation,
    );
    if (repeated) return;
    if (operation === 'created') this.books.created.set(entity, (this.books.created.get(entity) ?? 0) + 1);
    this.changes.push({ realmId: this.settings.realmId, entity, entityId, operation, at: this.now });
  }
}
