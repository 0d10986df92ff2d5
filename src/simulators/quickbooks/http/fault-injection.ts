import { z } from 'zod';

export const faultKinds = [
  'status',
  'fault',
  'reset',
  'truncate',
  'html502',
  'xml429',
  '429',
  'timeout',
  'latency',
  '401',
  'empty',
  'garbage',
] as const;

export const faultRuleSchema = z.strictObject({
  match: z
    .strictObject({
      method: z.string().optional(),
      /** Part of path and query, or a regular expression between slashes. */
      path: z.string().refine(isSearchable, 'is not a regular expression').optional(),
      realmId: z.string().optional(),
    })
    .default({}),
  kind: z.enum(faultKinds),
  /** Before: nothing is committed. After: the change is made and only the answer is lost or broken. */
  when: z.enum(['before', 'after']).default('before'),
  times: z.int().min(1).default(1),
  /** Lets this many matching calls through first. */
  skip: z.int().min(0).default(0),
  ms: z.int().min(0).max(600_000).default(1000),
  status: z.int().min(100).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  detail: z.string().optional(),
});

export type FaultRule = Readonly<z.output<typeof faultRuleSchema>>;

interface ArmedFault {
  readonly id: number;
  readonly rule: FaultRule;
  skipLeft: number;
  timesLeft: number;
}

export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly realmId: string | undefined;
}

/** Faults waiting for their call. The first armed rule that matches is used up. */
export class FaultInjection {
  private armed: ArmedFault[] = [];
  private nextId = 1;

  arm(rule: FaultRule): number {
    const id = this.nextId;
    this.nextId += 1;
    this.armed.push({ id, rule, skipLeft: rule.skip, timesLeft: rule.times });
    return id;
  }

  take(call: Call): FaultRule | undefined {
    for (const fault of this.armed) {
      if (!matches(fault.rule, call)) continue;
      if (fault.skipLeft > 0) {
        fault.skipLeft -= 1;
        continue;
      }
      fault.timesLeft -= 1;
      if (fault.timesLeft === 0) this.armed = this.armed.filter((each) => each !== fault);
      return fault.rule;
    }
    return undefined;
  }

  /** With a realm: the rules that name it. */
  list(realmId: string | undefined): object[] {
    const shown = this.armed.filter(({ rule }) => realmId === undefined || rule.match.realmId === realmId);
    return shown.map(({ id, rule, skipLeft, timesLeft }) => ({ id, ...rule, skipLeft, timesLeft }));
  }

  clear(realmId: string | undefined): void {
    this.armed = realmId === undefined ? [] : this.armed.filter(({ rule }) => rule.match.realmId !== realmId);
  }
}

function matches({ match }: FaultRule, call: Call): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== call.method) return false;
  if (match.realmId !== undefined && match.realmId !== call.realmId) return false;
  return match.path === undefined || pathMatches(match.path, call.url);
}

function pathMatches(wanted: string, url: string): boolean {
  const pattern = patternIn(wanted);
  return pattern === undefined ? url.includes(wanted) : new RegExp(pattern).test(url);
}

function patternIn(wanted: string): string | undefined {
  return /^\/(.+)\/$/.exec(wanted)?.[1];
}

function isSearchable(wanted: string): boolean {
  try {
    new RegExp(patternIn(wanted) ?? '');
    return true;
  } catch {
    return false;
  }
}
