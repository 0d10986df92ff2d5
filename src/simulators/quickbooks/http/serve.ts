import type { Request, Response } from 'express';
import { pause } from '../../common/broken-connection.js';
import { type Simulation, timeIn } from '../simulation.js';
import { type Answer, commonHeaders, newTransactionId } from './answer.js';
import { type FaultRule, isAboutItems } from './fault-rules.js';
import { type CallKind, type LoggedCall, redactTokens } from './logged-call.js';
import { performFault } from './perform-fault.js';

export interface ServedCall {
  readonly kind: CallKind;
  readonly realmId: string | undefined;
  readonly query: URLSearchParams;
  readonly body: string;
}

export interface Served {
  readonly answer: Answer;
  readonly replayed?: boolean;
  /** A limit that refused the call. */
  readonly refusedBy?: string | undefined;
}

/** Logs a call, lets an injected fault have its way with it, and otherwise answers. */
export async function serve(
  simulation: Simulation,
  stopping: AbortSignal,
  request: Request,
  response: Response,
  call: ServedCall,
  /** With a rule that strikes only some items of a batch, which are to be treated by it. */
  work: (itemRule?: FaultRule) => Served,
): Promise<void> {
  const tid = newTransactionId();
  const logged = log(simulation, request, call, tid);
  const send = (answer: Answer): void => {
    logged.status = answer.status;
    if (!response.writableEnded)
      response.writeHead(answer.status, { ...commonHeaders(tid), ...answer.headers }).end(answer.body);
  };
  const { realmId, kind } = call;
  const random = simulation.chaos.next(realmId, kind);
  const rule = simulation.faults.take({ method: request.method, url: request.originalUrl, owner: realmId }) ?? random;
  if (rule === undefined) return finish(logged, work(), send);
  Object.assign(logged, { fault: rule.kind, faultWhen: rule.when });
  const now = timeIn(simulation, realmId);
  const scene = { request, response, now, stopping, oauth: call.kind === 'token', send };
  if (rule.items !== undefined) {
    const served = work(rule);
    if (isAboutItems(rule)) return finish(logged, served, send);
    note(logged, served);
    return performFault(rule, { ...scene, answer: served.answer });
  }
  if (rule.kind === 'latency') {
    if (rule.when === 'before') await pause(rule.ms, scene);
    if (stopping.aborted) return;
    const served = work();
    if (rule.when === 'after') await pause(rule.ms, scene);
    return finish(logged, served, send);
  }
  const served = rule.when === 'after' ? work() : undefined;
  if (served !== undefined) note(logged, served);
  await performFault(rule, { ...scene, answer: served?.answer });
}

function finish(logged: LoggedCall, served: Served, send: (answer: Answer) => void): void {
  note(logged, served);
  send(served.answer);
}

function note(logged: LoggedCall, { replayed, refusedBy }: Served): void {
  logged.replayed = replayed ?? false;
  if (refusedBy !== undefined) Object.assign(logged, { fault: refusedBy, faultWhen: 'before' });
}

function log(simulation: Simulation, request: Request, call: ServedCall, tid: string): LoggedCall {
  const describe = (seq: number): LoggedCall => ({
    seq,
    at: new Date(timeIn(simulation, call.realmId)).toISOString(),
    method: request.method,
    path: request.path,
    query: Object.fromEntries(call.query),
    realmId: call.realmId ?? null,
    kind: call.kind,
    requestid: call.query.get('requestid'),
    tid,
    body: redactTokens(call.body),
    status: null,
    replayed: false,
    fault: null,
    faultWhen: null,
  });
  return simulation.requests.add(describe, simulation.companies.has(call.realmId ?? ''));
}
