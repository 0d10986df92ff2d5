/** Where a process can be struck: before or after the n-th SQL statement or HTTP call of a use case. */
export interface Point {
  readonly useCase: string;
  readonly kind: 'sql' | 'http';
  readonly n: number;
  /** `during`: the request is on its way and nobody waits for the answer any more. */
  readonly side: 'before' | 'during' | 'after';
}

export interface Strike extends Point {
  /** The process dies, or only this one database connection does. */
  readonly action: 'crash' | 'cut';
}

export function nameOf({ useCase, kind, n, side, action }: Strike): string {
  return `${useCase}/${kind}/${n}/${side}${action === 'cut' ? '/cut' : ''}`;
}

/** How many SQL statements and HTTP calls each use case makes, when nothing disturbs it. */
export type Profile = Readonly<Record<string, { readonly sql: number; readonly http: number }>>;

export function pointsOf(profile: Profile): Point[] {
  return Object.entries(profile).flatMap(([useCase, { sql, http }]) => [
    ...upTo(sql).flatMap((n) =>
      (['before', 'after'] as const).map((side) => ({ useCase, kind: 'sql' as const, n, side })),
    ),
    ...upTo(http).flatMap((n) =>
      (['before', 'during', 'after'] as const).map((side) => ({ useCase, kind: 'http' as const, n, side })),
    ),
  ]);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
