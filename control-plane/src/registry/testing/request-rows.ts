import type { RequestRow } from '../request-types.js';

export function requestRow(overrides: Partial<RequestRow> = {}): RequestRow {
  return {
    ...{ endedAtMs: 1_700_000_000_000, requestId: 'req-1', key: 'anonymous', role: 'chat-fast' },
    ...{ target: 'qwen', host: 'armitage', endpoint: '/chat/completions', stream: true, outcome: 'ok' },
    ...{ status: 200, reason: 'least_cost', promptTokens: 10, completionTokens: 5, cachedTokens: null },
    ...{ ttftMs: 20, totalMs: 100, queueMs: 0, attempts: 1, rounds: [] },
    ...overrides,
  };
}
