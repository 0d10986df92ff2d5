import { z } from 'zod';

/** Which calls a rule strikes; a provider adds whose calls. */
export const callPattern = {
  method: z.string().optional(),
  /** Part of path and query, or a regular expression between slashes. */
  path: z.string().refine(isSearchable, 'is not a regular expression').optional(),
};

/** What every rule has besides its pattern and its kind. */
export const faultRuleShape = {
  /** Before: nothing is committed. After: the change is made and only the answer is lost or broken. */
  when: z.enum(['before', 'after']).default('before'),
  times: z.int().min(1).default(1),
  /** Lets this many matching calls through first. */
  skip: z.int().min(0).default(0),
  ms: z.int().min(0).max(600_000).default(1000),
  status: z.int().min(100).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
};

interface AnyRule {
  readonly match: { readonly method?: string | undefined; readonly path?: string | undefined };
  readonly times: number;
  readonly skip: number;
}

interface ArmedFault<Rule> {
  readonly id: number;
  readonly rule: Rule;
  skipLeft: number;
  timesLeft: number;
}

export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The company or account that it is about. */
  readonly owner: string | undefined;
}

/** Faults waiting for their call. The first armed rule that matches is used up. */
export class FaultInjection<Rule extends AnyRule> {
  private armed: ArmedFault<Rule>[] = [];
  private nextId = 1;

  constructor(private readonly ownerOf: (rule: Rule) => string | undefined) {}

  arm(rule: Rule): number {
    const id = this.nextId;
    this.nextId += 1;
    this.armed.push({ id, rule, skipLeft: rule.skip, timesLeft: rule.times });
    return id;
  }

  take(call: Call): Rule | undefined {
    for (const fault of this.armed) {
      if (!this.matches(fault.rule, call)) continue;
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

  /** With an owner: the rules that name it. */
  list(owner: string | undefined): object[] {
    const shown = this.armed.filter(({ rule }) => owner === undefined || this.ownerOf(rule) === owner);
    return shown.map(({ id, rule, skipLeft, timesLeft }) => ({ id, ...rule, skipLeft, timesLeft }));
  }

  clear(owner: string | undefined): void {
    this.armed = owner === undefined ? [] : this.armed.filter(({ rule }) => this.ownerOf(rule) !== owner);
  }

  private matches(rule: Rule, call: Call): boolean {
    const { method, path } = rule.match;
    if (method !== undefined && method.toUpperCase() !== call.method) return false;
    const owner = this.ownerOf(rule);
    if (owner !== undefined && owner !== call.owner) return false;
    return path === undefined || pathMatches(path, call.url);
  }
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
