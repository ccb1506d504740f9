import type { RequestListener } from 'node:http';
import { answerError, ownFacts } from '../gateway/answer-now.js';
import { gatewayError } from '../gateway/decide/error-table.js';
import { judgeAddress } from './decide/judge-address.js';

/** Answers what is addressed to nobody in the envelope that clients of `/v1` read; the rest goes on. */
export function refuseMisaddressed(
  goOn: RequestListener,
  nextRequestId: (given: string | string[] | undefined) => string,
): RequestListener {
  return (request, response) => {
    const { url: target = '', httpVersion, headers, rawHeaders } = request;
    const wrong = judgeAddress({ target, httpVersion, host: headers.host, rawHeaders });
    if (wrong === null) {
      goOn(request, response);
      return;
    }
    const requestId = nextRequestId(headers['x-request-id']);
    const facts = ownFacts({ requestId, corsHeaders: [] }, 'invalid_request');
    answerError(response, gatewayError('invalid_request', wrong), facts, ['connection', 'close']);
  };
}
