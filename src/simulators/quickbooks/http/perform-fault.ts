import { type ConnectionScene, letTimeOut, resetConnection, truncate } from '../../common/broken-connection.js';
import { authenticationFailed, systemFailure, throttled, validationFault } from '../faults.js';
import { toJson } from '../json.js';
import { type Answer, faultAnswer } from './answer.js';
import type { FaultRule } from './fault-rules.js';
import { faultXml } from './xml.js';

export interface FaultScene extends ConnectionScene {
  readonly now: number;
  /** The token endpoint has its own error bodies. */
  readonly oauth: boolean;
  /** What would have been answered; undefined when the fault comes before the work. */
  readonly answer: Answer | undefined;
  readonly send: (answer: Answer) => void;
}

/** Plays one fault to its end. */
export async function performFault(rule: FaultRule, scene: FaultScene): Promise<void> {
  switch (rule.kind) {
    case 'reset':
      resetConnection(scene);
      return;
    case 'timeout':
      await letTimeOut(rule.ms, scene);
      return;
    case 'truncate':
      truncate(wholeAnswer(scene), scene);
      return;
    default:
      scene.send(brokenAnswer(rule, scene));
  }
}

function wholeAnswer({ answer }: FaultScene): Answer {
  return {
    status: answer?.status ?? 200,
    headers: { 'content-type': 'application/json', ...answer?.headers },
    body: answer?.body ?? '{"Fault":{"Error":[{"Message":"cut off"}]}}',
  };
}

function brokenAnswer(rule: FaultRule, scene: FaultScene): Answer {
  const json = { 'content-type': 'application/json' };
  switch (rule.kind) {
    case 'status':
      return { status: rule.status ?? 500, headers: { 'content-type': 'text/plain' }, body: rule.message ?? '' };
    case 'html502': {
      const page = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';
      return { status: 502, headers: { 'content-type': 'text/html' }, body: page };
    }
    case 'xml429':
      // The gateway may answer in XML even when JSON was asked for.
      return {
        status: 429,
        headers: { 'content-type': 'application/xml' },
        body: faultXml(throttled().fault, scene.now),
      };
    case '429':
      return faultAnswer(throttled().fault, scene.now, true);
    case '401':
      return scene.oauth ? oauthError(401, 'invalid_client') : unauthorized(scene);
    case 'empty':
      return { status: 200, headers: { ...json, 'content-length': '0' }, body: '' };
    case 'garbage':
      return { status: 200, headers: json, body: '{"Invoice":{"Id":"1","TotalAmt":' };
    default:
      return scene.oauth ? oauthError(rule.status ?? 400, rule.code ?? 'invalid_grant') : validation(rule, scene.now);
  }
}

function oauthError(status: number, error: string): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: toJson({ error }) };
}

function unauthorized({ request, now }: FaultScene): Answer {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return faultAnswer(authenticationFailed(`Token expired: ${token}`).fault, now, true);
}

function validation(rule: FaultRule, now: number): Answer {
  const detail = rule.detail ?? 'injected fault';
  if (rule.code === undefined || rule.code === '10000') {
    return faultAnswer({ ...systemFailure(detail).fault, status: rule.status ?? 500 }, now, true);
  }
  const { fault } = validationFault(rule.code, rule.message ?? 'Injected fault', detail, '');
  return faultAnswer({ ...fault, status: rule.status ?? 400 }, now, true);
}
