import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RequestEvent, type RequestPhase, stepRequest } from './step-request.js';

const EVENTS: RequestEvent[] = [
  'body_read',
  'answered',
  'attempt_failed',
  'committed',
  'finished',
  'interrupted',
  'client_gone',
];

describe('the life of a request', () => {
  it.each<[RequestEvent[], RequestPhase]>([
    [['body_read', 'committed', 'finished'], 'done'],
    [['body_read', 'attempt_failed', 'attempt_failed', 'committed'], 'answering'],
    [['body_read', 'attempt_failed', 'answered'], 'done'],
    [['body_read', 'committed', 'interrupted'], 'done'],
    [['answered'], 'done'],
    [['client_gone'], 'done'],
  ])('goes by %j to %s', (events, end) => {
    let phase: RequestPhase = 'reading';
    for (const event of events) phase = stepRequest(phase, event) ?? expect.fail(`${event} in ${phase}`);
    expect(phase).toBe(end);
  });

  it('cannot be asked again once its head is sent', () => {
    expect(stepRequest('answering', 'attempt_failed')).toBeNull();
    expect(stepRequest('answering', 'answered')).toBeNull();
    expect(stepRequest('answering', 'committed')).toBeNull();
  });

  it('is over once, whatever happens after', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS)), (events) => {
        let phase: RequestPhase = 'reading';
        let ends = 0;
        for (const event of events) {
          const next = stepRequest(phase, event);
          if (next === null) continue;
          if (next === 'done') ends++;
          phase = next;
        }
        expect(ends).toBeLessThanOrEqual(1);
        expect(EVENTS.every((event) => stepRequest('done', event) === null)).toBe(true);
      }),
    );
  });
});
