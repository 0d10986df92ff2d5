import type { EntityManager } from '@mikro-orm/postgresql';

export interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Plan[];
}

/** What PostgreSQL does for the statements of a read. */
export interface Readings {
  /** Every step of all plans. */
  readonly steps: readonly Plan[];
  /** Those that read the table. */
  readonly ofTable: readonly Plan[];
  /** How many rows of the table they looked at. */
  readonly rows: number;
}

/** How PostgreSQL executes what is read from the table. */
export async function readings(
  em: EntityManager,
  table: string,
  read: (em: EntityManager) => Promise<unknown>,
): Promise<Readings> {
  const asked: [statement: string, params: readonly unknown[]][] = [];
  const recording = {
    execute: (statement: string, params: readonly unknown[]) => {
      asked.push([statement, params]);
      return em.execute(statement, [...params]);
    },
    map: em.map.bind(em),
  };
  await read(recording as unknown as EntityManager);
  const all: Plan[] = [];
  for (const [statement, params] of asked) all.push(...stepsOf(await explain(em, statement, params)));
  const ofTable = all.filter((step) => step['Relation Name'] === table);
  return { steps: all, ofTable, rows: ofTable.reduce((sum, step) => sum + rowsOf(step), 0) };
}

async function explain(em: EntityManager, statement: string, params: readonly unknown[]): Promise<Plan> {
  const [row] = await em.execute<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
    `explain (analyze, costs off, timing off, format json) ${statement}`,
    [...params],
  );
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error('there is no plan');
  return plan;
}

function stepsOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(stepsOf)];
}

function rowsOf(step: Plan): number {
  const removed = (step['Rows Removed by Filter'] ?? 0) + (step['Rows Removed by Index Recheck'] ?? 0);
  return (step['Actual Rows'] + removed) * step['Actual Loops'];
}
