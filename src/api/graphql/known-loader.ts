import DataLoader from 'dataloader';

/**
 * A loader that gives what is known already at once, without a promise. A list of a hundred orders has hundreds of
 * relations that were read with it; a promise for each takes longer than all the rest of the answer (ADR 0028).
 */
export class KnownLoader<T> {
  readonly #known = new Map<string, T>();
  readonly #loader: DataLoader<string, T>;

  constructor(find: (ids: readonly string[]) => Promise<readonly T[]>) {
    this.#loader = new DataLoader(find);
  }

  load(id: string): T | Promise<T> {
    return this.#known.get(id) ?? this.#loader.load(id);
  }

  prime(id: string, value: T): void {
    this.#known.set(id, value);
  }

  clearAll(): void {
    this.#known.clear();
    this.#loader.clearAll();
  }
}

/** What follows from a value, at once if the value is there. */
export function whenLoaded<T, R>(value: T | Promise<T>, show: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(show) : show(value);
}
