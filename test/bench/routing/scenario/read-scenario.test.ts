import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shippedScenarios } from '../shipped-scenarios.js';
import { parseScenario, readScenario } from './read-scenario.js';

const lines = {
  name: 'name: sample',
  fleet: 'fleet: [{ card: rtx2080, deployment: a }, { card: rtx4070s, deployment: b }]',
  load: 'load: { ofCapacity: 0.5 }',
  prompt: 'prompt: { lognormal: { median: 100, sigma: 0, most: 100 } }',
  answer: 'answer: { lognormal: { median: 50, sigma: 0, most: 50 } }',
};

/** A scenario with one line replaced, or further ones. */
function parse(more: Readonly<Record<string, string>> = {}) {
  return parseScenario(Object.values({ ...lines, ...more }).join('\n'), 'sample.yaml');
}

describe('a scenario file', () => {
  it('needs little, and has a value for all the rest', () => {
    expect(parse()).toMatchObject({
      ...{ seed: 1, requests: 2_000, ignoreFirst: 200, arrivals: 'poisson', streamed: 0.7, learnt: false },
      gauges: { everySeconds: 1, lagSeconds: [3, 6] },
    });
  });

  it('may be JSON', () => {
    const { name, fleet } = parseScenario(
      JSON.stringify({
        name: 'json',
        fleet: [{ card: 'big', deployment: 'a' }],
        load: { requestsPerSecond: 2 },
        prompt: { lognormal: { median: 100, sigma: 1, most: 1_000 } },
        answer: { lognormal: { median: 100, sigma: 1, most: 1_000 } },
      }),
      'sample.json',
    );
    expect([name, fleet.length]).toEqual(['json', 1]);
  });

  it('tells its load by what the fleet can serve', () => {
    const { fleet, requestsPerSecond } = parse();
    // 1000 / (0.6 · 100 + 50 · (14 / 8 + 0.9)) and 1000 / (0.42 · 100 + 50 · (17 / 16 + 0.6))
    expect(fleet.map(({ capacityPerSecond }) => capacityPerSecond)).toEqual([
      expect.closeTo(5.19, 2),
      expect.closeTo(7.99, 2),
    ]);
    expect(requestsPerSecond).toBeCloseTo(0.5 * (5.19 + 7.99), 2);
  });

  it('may change each number of a card', () => {
    const { fleet } = parse({ fleet: 'fleet: [{ card: big, deployment: a, slots: 3, kvTokens: 900 }]' });
    expect(fleet[0]?.shape).toMatchObject({ iterationMs: 16, slots: 3, kvTokens: 900 });
  });

  it.each([
    [
      'a misspelt name',
      { requests: 'request: 3' },
      'the scenario: request is not known; do you mean requests?',
    ],
    [
      'a misspelt card',
      { fleet: 'fleet: [{ card: rtx4070, deployment: a }]' },
      'fleet.0.card: rtx4070 is not known; do you mean rtx4070s?',
    ],
    [
      'a misspelt number of a card',
      { fleet: 'fleet: [{ card: big, deployment: a, slot: 3 }]' },
      'fleet.0: slot is not known; do you mean slots?',
    ],
    [
      'a replica that is not there',
      { events: 'events: [{ atSeconds: 1, replica: bb, becomes: crashed }]' },
      'events.0.replica: bb is not known; do you mean b?',
    ],
    [
      'what an event cannot be',
      { events: 'events: [{ atSeconds: 1, replica: b, becomes: crash }]' },
      'events.0.becomes: crash is not known; do you mean crashed?',
    ],
    [
      'two replicas of one name',
      { fleet: 'fleet: [{ card: big, deployment: a }, { card: big, deployment: a }]' },
      'fleet.1.deployment: a is there twice',
    ],
    [
      'no card and no numbers',
      { fleet: 'fleet: [{ deployment: a, slots: 3 }]' },
      'fleet.0: without a card it needs iterationMs, decodingMs, promptTokenMs, kvTokens',
    ],
    [
      'a request that fits nowhere',
      { fleet: 'fleet: [{ card: big, deployment: a, kvTokens: 120 }]' },
      'fleet.0.kvTokens: 120 has no room for one request of 150 tokens',
    ],
    [
      'nothing left to count',
      { requests: 'requests: 200' },
      'ignoreFirst: 200 leaves nothing of 200 requests',
    ],
    ['a wrong type', { seed: 'seed: one' }, 'seed: '],
    [
      'a median above the most',
      { prompt: 'prompt: { lognormal: { median: 100, sigma: 0, most: 10 } }' },
      'prompt.lognormal: the median is above',
    ],
    [
      'a lag turned round',
      { gauges: 'gauges: { everySeconds: 1, lagSeconds: [6, 3] }' },
      'gauges.lagSeconds: the least lag is above the most',
    ],
    [
      'a load that is none',
      { load: 'load: 0.7' },
      'load: expected { ofCapacity: 0.7 } (at most 3) or { requestsPerSecond: 2 }',
    ],
    ['a load beyond all sense', { load: 'load: { ofCapacity: 70 }' }, 'load.ofCapacity: Too big'],
    ['two loads', { load: 'load: { ofCapacity: 0.7, requestsPerSecond: 2 }' }, 'load: expected { ofCapacity'],
    ['arrivals that are none', { arrivals: 'arrivals: uniform' }, 'arrivals: expected poisson or { bursts'],
    [
      'a burst of no time',
      { arrivals: 'arrivals: { bursts: { onSeconds: 0, offSeconds: 1, factor: 2 } }' },
      'arrivals.bursts.onSeconds: Too small',
    ],
    [
      'a misspelt name further in',
      { prompt: 'prompt: { lognormal: { median: 100, sgma: 0, most: 100 } }' },
      'prompt.lognormal.sigma: ',
    ],
    ['a misspelt bound', { slo: 'slo: { ttftSecond: 2, perTokenSeconds: 0.1 }' }, 'slo.ttftSeconds: '],
    [
      'gauges that are read for ever',
      { gauges: 'gauges: { everySeconds: 0.000001, lagSeconds: [0, 0] }' },
      'gauges.everySeconds: in the',
    ],
    [
      'requests that come for ever',
      { load: 'load: { requestsPerSecond: 0.00000001 }' },
      'gauges.everySeconds: in the',
    ],
    [
      'others that send more than can be held',
      {
        outside:
          'outside: [{ replica: a, load: { requestsPerSecond: 1000000 }, onSeconds: 1, offSeconds: 0 }]',
      },
      'outside.0.load: in the',
    ],
    [
      'an answer as long as a library',
      { answer: 'answer: { lognormal: { median: 50, sigma: 0, most: 1000000000 } }' },
      'answer.lognormal.most: Too big',
    ],
    ['a name that stands for nothing', { seed: 'seed: *first' }, 'Unresolved alias'],
  ])('is refused with the place and the reason: %s', (_, more, message) => {
    expect(() => parse(more)).toThrow(`sample.yaml: ${message}`);
  });

  it('is refused with line and column where it is no YAML', () => {
    expect(() => parseScenario('name: [', 'broken.yaml')).toThrow(/broken\.yaml: .*line 1/s);
  });

  it('is refused where it is not there', () => {
    expect(() => readScenario('/nowhere.yaml')).toThrow('/nowhere.yaml: ENOENT');
  });

  it('stands as an example in the documentation', () => {
    const document = new URL('../../../../docs/routing-scenarios.md', import.meta.url);
    const [, example = ''] = readFileSync(document, 'utf8').match(/```yaml\n(.*?)```/s) ?? [];
    expect(
      parseScenario(example, 'the example')
        .fleet.map(({ deployment }) => deployment)
        .join(''),
    ).toBe('abcd');
  });

  it.each([...shippedScenarios()])('%s comes along, and is named as its file', (name, file) => {
    expect(readScenario(file).name).toBe(name);
  });
});
