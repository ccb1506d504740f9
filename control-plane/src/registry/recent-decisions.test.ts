import { describe, expect, it } from 'vitest';
import { RecentDecisions } from './recent-decisions.js';
import { requestRow } from './testing/request-rows.js';

const considered = ['armitage-chat', 'wintermute-chat', 'motoko-chat'].map((target, index) => ({
  target,
  verdict: index === 0 ? 'chosen' : 'passed_over',
  costSeconds: 0.5 + index,
}));
const rounds = [{ reason: 'least_cost', considered, failure: null }];

describe('the decisions of the last requests', () => {
  it('are found by their ids at once, in whole', () => {
    const decisions = new RecentDecisions();
    const row = requestRow({ requestId: 'req-a', rounds });
    decisions.append(row);
    decisions.append(requestRow({ requestId: 'req-b', role: 'chat-deep' }));
    expect(decisions.find('req-a')).toEqual({ ...row, consideredCount: 3, sequence: 0 });
    expect(decisions.find('req-b')).toMatchObject({ role: 'chat-deep', consideredCount: 0 });
    expect(decisions.find('req-c')).toBeNull();
  });

  it('of an id that a client chose twice, tell the latest', () => {
    const decisions = new RecentDecisions();
    for (const endedAtMs of [1, 2, 3]) decisions.append(requestRow({ requestId: 'mine', endedAtMs }));
    expect(decisions.find('mine')?.endedAtMs).toBe(3);
  });

  it('are as many as asked for, however many there were', () => {
    const decisions = new RecentDecisions(1_000, 4_096);
    for (let index = 0; index < 5_000; index += 1) {
      decisions.append(requestRow({ requestId: `req-${index}`, totalMs: index, rounds }));
    }
    expect(decisions.count).toBeGreaterThanOrEqual(1_000);
    expect(decisions.count).toBeLessThan(1_080);
    expect(decisions.find('req-4999')?.totalMs).toBe(4_999);
    expect(decisions.find('req-4000')?.totalMs).toBe(4_000);
    expect(decisions.find('req-3000')).toBeNull();
    // A hundred thousand like them take 13 MB.
    expect(decisions.sizeBytes / decisions.count).toBeLessThan(180);
  });

  it('keep their bound of memory when every one of them is as large as can be', () => {
    const decisions = new RecentDecisions(1_000, 8_192);
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...{ target: `t${index}`, verdict: 'full', costSeconds: null },
    }));
    const round = { reason: 'no_capacity', considered: many, failure: null };
    for (let index = 0; index < 2_500; index += 1) {
      decisions.append(requestRow({ requestId: `req-${index}`, rounds: [round, round, round, round] }));
    }
    expect(decisions.sizeBytes / decisions.count).toBeLessThan(520);
    expect(decisions.find('req-2499')?.consideredCount).toBe(40);
  });

  it('do not fill the memory with names that nobody declared', () => {
    const decisions = new RecentDecisions();
    for (let index = 0; index < 70_000; index += 1) decisions.append(requestRow({ role: `r${index}` }));
    decisions.append(requestRow({ requestId: 'last', role: 'one more', key: 'anonymous' }));
    expect(decisions.find('last')).toMatchObject({ role: '…', key: 'anonymous' });
  });
});
