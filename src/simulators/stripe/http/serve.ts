import type { Request, Response } from 'express';
import { pause } from '../../common/broken-connection.js';
import { queryOf } from '../../common/http-input.js';
import { remember } from '../books/request-memory.js';
import { type Simulation, workIn } from '../simulation.js';
import { type Answer, commonHeaders } from './answer.js';
import { type ApiOutcome, type ApiRequest, answerApi, keyedRequest } from './api.js';
import type { LoggedCall } from './logged-call.js';
import { performFault, storedFailure } from './perform-fault.js';

/** Logs a call, lets an injected fault have its way with it, and otherwise answers. */
export async function serve(
  simulation: Simulation,
  stopping: AbortSignal,
  request: Request,
  response: Response,
  call: ApiRequest,
): Promise<void> {
  const logged = log(simulation, request, call);
  const send = (answer: Answer): void => {
    logged.status = answer.status;
    const headers = { ...commonHeaders(call.requestId), ...keyHeader(call), ...answer.headers };
    if (!response.writableEnded) response.writeHead(answer.status, headers).end(answer.body);
  };
  const work = (): Answer => {
    const { answer, replayed }: ApiOutcome = answerApi(simulation, call);
    logged.replayed = replayed;
    return answer;
  };
  const owner = call.account?.settings.accountId;
  const random = simulation.chaos.next(owner, logged.kind);
  const rule = simulation.faults.take({ method: request.method, url: request.originalUrl, owner }) ?? random;
  if (rule === undefined) return send(work());
  Object.assign(logged, { fault: rule.kind, faultWhen: rule.when });
  const scene = { request, response, stopping, requestId: call.requestId, send };
  if (rule.kind === 'latency') {
    if (rule.when === 'before') await pause(rule.ms, scene);
    if (stopping.aborted) return;
    const answer = work();
    if (rule.when === 'after') await pause(rule.ms, scene);
    return send(answer);
  }
  const answer = rule.when === 'after' ? work() : undefined;
  if (rule.kind === '500') keepFailure(simulation, call);
  await performFault(rule, { ...scene, answer });
}

/** Whatever this call did, the failure is the result that its idempotency key stands for from now on. */
function keepFailure(simulation: Simulation, call: ApiRequest): void {
  const keyed = keyedRequest(call);
  if (keyed === undefined || call.account === undefined) return;
  const known = call.account.books.answered.get(keyed.key);
  if (known !== undefined && known.requestId !== call.requestId) return;
  const { status, body } = storedFailure(call.requestId);
  remember(workIn(simulation, call.account), keyed, { status, body: `${body}`, requestId: call.requestId });
  simulation.changed();
}

function keyHeader({ idempotencyKey }: ApiRequest): Record<string, string> {
  return idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
}

function log(simulation: Simulation, request: Request, call: ApiRequest): LoggedCall {
  const now = call.account === undefined ? simulation.clock.now() : simulation.clock.nowAt(call.account);
  const describe = (seq: number): LoggedCall => ({
    seq,
    at: new Date(now).toISOString(),
    method: request.method,
    path: request.path,
    query: Object.fromEntries(queryOf(request)),
    accountId: call.account?.settings.accountId ?? null,
    kind: request.method === 'GET' ? 'read' : 'write',
    idempotencyKey: call.idempotencyKey ?? null,
    requestId: call.requestId,
    body: request.method === 'POST' ? call.form : '',
    status: null,
    replayed: false,
    fault: null,
    faultWhen: null,
  });
  return simulation.requests.add(describe, call.account !== undefined);
}
