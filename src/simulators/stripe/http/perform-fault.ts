import { type ConnectionScene, letTimeOut, resetConnection, truncate } from '../../common/broken-connection.js';
import { tooManyRequests, unknownError } from '../errors.js';
import { type Answer, errorAnswer } from './answer.js';
import type { FaultRule } from './fault-rules.js';

export interface FaultScene extends ConnectionScene {
  readonly requestId: string;
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
  const body = '{\n  "id": "in_cut",\n  "object": "invoice"\n}';
  return answer ?? { status: 200, headers: { 'content-type': 'application/json' }, body };
}

function brokenAnswer(rule: FaultRule, { requestId }: FaultScene): Answer {
  switch (rule.kind) {
    case 'status':
      return { status: rule.status ?? 503, headers: { 'content-type': 'text/plain' }, body: rule.message ?? '' };
    case 'html502': {
      const page = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';
      return { status: 502, headers: { 'content-type': 'text/html' }, body: page };
    }
    case '429':
      return errorAnswer(tooManyRequests().error, requestId);
    case '500':
      return storedFailure(requestId);
    default:
      return errorAnswer(
        {
          status: rule.status ?? 400,
          type: rule.type ?? 'invalid_request_error',
          message: rule.message ?? 'Injected error',
          code: rule.code,
          param: rule.param,
        },
        requestId,
      );
  }
}

/** The result of a request that failed on the way, with or without having done its work. */
export function storedFailure(requestId: string): Answer {
  return errorAnswer(unknownError().error, requestId);
}
