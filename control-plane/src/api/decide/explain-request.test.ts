import { expect, it } from 'vitest';
import { requestRow } from '../../registry/testing/request-rows.js';
import { explainRequest } from './explain-request.js';

it.each<[string, number, string]>([
  ['host_away', 1, '"chat-deep" went nowhere: its host was away (1 target looked at).'],
  [
    'host_asleep',
    1,
    '"chat-deep" went nowhere: its host slept, and was not woken for it (1 target looked at).',
  ],
  [
    'waking',
    1,
    '"chat-deep" went nowhere: its host was being woken, and could not be ready in the time that it may wait (1 target looked at).',
  ],
  ['host_away', 2, '"chat-deep" went nowhere: the hosts of its targets were away (2 targets looked at).'],
  [
    'local_only',
    1,
    '"chat-deep" went nowhere: only the cloud could serve it, and the client asked for no cloud (1 target looked at).',
  ],
])('a refusal as %s, with %d looked at, is told in words', (reason, consideredCount, words) => {
  const row = requestRow({
    role: 'chat-deep',
    target: '',
    host: '',
    attempts: 0,
    outcome: 'refused',
    reason,
  });
  expect(explainRequest({ ...row, sequence: 1, consideredCount, rounds: null }).whyHere).toBe(words);
});

it('a provider that a request was kept from was kept from it by its client', () => {
  const considered = [{ target: 'openai/strong', verdict: 'local_only', costSeconds: null }];
  const rounds = [{ reason: 'local_only', considered, failure: null }];
  const row = requestRow({ attempts: 0, outcome: 'refused', reason: 'local_only' });
  expect(explainRequest({ ...row, sequence: 1, consideredCount: 1, rounds }).whyNotThere).toEqual([
    {
      target: 'openai/strong',
      code: 'local_only',
      words: 'the client asked for no cloud (x-fabric-local-only)',
    },
  ]);
});

it.each([
  ['held_full', ''],
  ['held_full_batch', ' in class batch'],
])('a wait noted as %s is told with its class', (reason, inClass) => {
  const considered = [{ target: 'armitage-chat', verdict: 'full', costSeconds: null }];
  const served = [{ target: 'motoko-chat', verdict: 'chosen', costSeconds: 1 }];
  const rounds = [
    { reason, considered, failure: null },
    { reason: 'least_cost', considered: served, failure: null },
  ];
  const row = requestRow({ role: 'chat-fast', target: 'motoko-chat', queueMs: 2_340 });
  const { whyHere } = explainRequest({ ...row, sequence: 1, consideredCount: 2, rounds });
  expect(whyHere).toContain(`; held 2.3 s${inClass}: armitage-chat was full`);
});

it('a wake that was waited for is told with the targets that it was for', () => {
  const considered = [
    { target: 'wintermute-chat', verdict: 'host_asleep', costSeconds: null },
    { target: 'armitage-chat', verdict: 'host_away', costSeconds: null },
  ];
  const served = [{ target: 'wintermute-chat', verdict: 'chosen', costSeconds: 1 }];
  const rounds = [
    { reason: 'held_waking', considered, failure: null },
    { reason: 'only_candidate', considered: served, failure: null },
  ];
  const row = requestRow({ role: 'chat-deep', target: 'wintermute-chat', queueMs: 38_200 });
  const { whyHere } = explainRequest({ ...row, sequence: 1, consideredCount: 2, rounds });
  expect(whyHere).toContain('; held 38.2 s: wintermute-chat slept and was being woken');
});

it.each([
  ['cloud_while_waking', 'its host slept and is woken for the next one, and the cloud is allowed'],
  ['cloud_fallback', 'no target before it could take it, and the cloud is allowed'],
])('the cloud that served beside a sleeping host is explained: %s', (reason, words) => {
  const considered = [
    { target: 'wintermute-chat', verdict: 'host_asleep', costSeconds: null },
    { target: 'openai/strong', verdict: 'chosen', costSeconds: null },
  ];
  const row = requestRow({ role: 'chat-deep', target: 'openai/strong', host: 'openai', reason });
  const rounds = [{ reason, considered, failure: null }];
  const explained = explainRequest({ ...row, sequence: 1, consideredCount: 2, rounds });
  expect(explained.whyHere).toContain(`: ${words}.`);
  expect(explained.whyNotThere).toEqual([
    { target: 'wintermute-chat', code: 'host_asleep', words: 'its host slept, or was being woken' },
  ]);
});

it('targets without a line of their own are counted', () => {
  const considered = [{ target: 'a', verdict: 'chosen', costSeconds: 0.2 }];
  const others = [
    { verdict: 'full', count: 1 },
    { verdict: 'passed_over', count: 40 },
  ];
  const rounds = [{ reason: 'least_cost', considered, others, failure: null }];
  const row = requestRow({ target: 'a', attempts: 1, outcome: 'ok' });
  expect(explainRequest({ ...row, sequence: 1, consideredCount: 42, rounds }).whyNotThere).toEqual([
    {
      target: '1 other (full)',
      code: 'full',
      words: 'every slot was taken, or its engine said that its queue was full',
    },
    {
      target: '40 others (passed over)',
      code: 'passed_over',
      words: 'it could have served it, another was chosen',
    },
  ]);
});

it('one that was cheaper than the one that had served the session is told so', () => {
  const considered = [
    { target: 'a', verdict: 'chosen', costSeconds: 0.2 },
    { target: 'b', verdict: 'passed_over', costSeconds: 0.18 },
  ];
  const rounds = [{ reason: 'affinity', considered, failure: null }];
  const row = requestRow({ target: 'a', attempts: 1, outcome: 'ok' });
  const { whyHere, whyNotThere } = explainRequest({ ...row, sequence: 1, consideredCount: 2, rounds });
  expect(whyHere).toContain('it has served what came before this');
  expect(whyNotThere[0]?.words).toBe(
    'it would have taken no longer (180 ms), and the other has served what came before this',
  );
});
