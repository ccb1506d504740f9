import type { RequestListener } from 'node:http';
import { answerError, ownFacts } from '../gateway/answer-now.js';
import { gatewayError } from '../gateway/decide/error-table.js';
import { judgeAddress } from './decide/judge-address.js';
import { judgeFraming } from './decide/judge-framing.js';

/**
 * Answers what is addressed to nobody, or of unclear length, in the envelope that clients of `/v1` read; the rest
 * goes on.
 */
export function refuseMisaddressed(
  goOn: RequestListener,
  nextRequestId: (given: string | string[] | undefined) => string,
): RequestListener {
  return (request, response) => {
    const { url: target = '', httpVersion, headers, rawHeaders } = request;
    const wrong =
      judgeAddress({ target, httpVersion, host: headers.host, rawHeaders }) ??
      judgeFraming(headers['transfer-encoding'], httpVersion);
    if (wrong === null) {
      goOn(request, response);
      return;
    }
    const requestId = nextRequestId(headers['x-request-id']);
    const facts = ownFacts({ requestId, corsHeaders: [] }, 'invalid_request');
    answerError(response, gatewayError('invalid_request', wrong), facts, ['connection', 'close']);
  };
}

/** Answers what expects anything but `100-continue`, in the same envelope. */
export function refuseExpectation(
  nextRequestId: (given: string | string[] | undefined) => string,
): RequestListener {
  return ({ headers }, response) => {
    const requestId = nextRequestId(headers['x-request-id']);
    const facts = ownFacts({ requestId, corsHeaders: [] }, 'expectation_failed');
    const message = 'The header "Expect" is understood as "100-continue" alone: send it so, or not at all.';
    answerError(response, gatewayError('expectation_failed', message, null), facts, ['connection', 'close']);
  };
}
