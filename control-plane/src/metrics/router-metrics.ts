import { Counter, Gauge, type Registry } from 'prom-client';
import type { RouterGauges, TargetPace } from '../router/gauge-types.js';
import { addLiveCounter, addLiveGauge } from './live-gauge.js';

/** What the router holds and thinks of each target, read at scrape time. */
export function addRouterMetrics(registry: Registry, read: () => RouterGauges): void {
  const registers = [registry];
  new Gauge({
    name: 'ai_fabric_target_in_flight',
    help: 'Requests that we have under way at a target',
    labelNames: ['target', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const { target, kind, inflight } of read().targets) this.set({ target, kind }, inflight);
    },
  });
  new Gauge({
    name: 'ai_fabric_target_external_load',
    help: 'Requests of others at a replica, as estimated from what its engine reports',
    labelNames: ['target', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const { target, kind, externalLoad } of read().targets) {
        if (externalLoad !== null) this.set({ target, kind }, externalLoad);
      }
    },
  });
  for (const [what, help, of] of PACE) {
    new Gauge({
      name: `ai_fabric_target_${what}`,
      help,
      labelNames: ['target'],
      registers,
      collect() {
        this.reset();
        for (const { target, pace } of read().targets) if (pace !== null) this.set({ target }, of(pace));
      },
    });
  }
  new Gauge({
    name: 'ai_fabric_target_breaker_open',
    help: '1 while the breaker keeps requests off a target, 0.5 while it lets one probe through',
    labelNames: ['target', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const { target, kind, breaker } of read().targets) this.set({ target, kind }, openness[breaker]);
    },
  });
  addExpectedAnswers(registry, read);
  addProviderRests(registry, read);
  new Gauge({
    name: 'ai_fabric_held_requests',
    help: 'Requests that are held now for a target that is expected, by what they asked for and by class',
    labelNames: ['role', 'class'],
    registers,
    collect() {
      this.reset();
      for (const { role, requestClass, count } of read().held) this.set({ role, class: requestClass }, count);
    },
  });
  new Counter({
    name: 'ai_fabric_displaced_requests_total',
    help: 'Held requests that lost their place to one of a key with fewer of them, the queue being full',
    registers,
    collect() {
      this.reset();
      this.inc(read().displacedTotal);
    },
  });
  new Counter({
    name: 'ai_fabric_claims_reaped_total',
    help: 'Claims that nobody released in time; more than 0 is a bug',
    registers,
    collect() {
      this.reset();
      this.inc(read().reapedClaimsTotal);
    },
  });
}

function addExpectedAnswers(registry: Registry, read: () => RouterGauges): void {
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_expected_answer_tokens',
      help: 'How long an answer of a role is expected to be where its client sets no bound',
      labelNames: ['role'],
    },
    () => read().answers.map(({ role, tokens }) => ({ labels: { role }, value: tokens })),
  );
}

function addProviderRests(registry: Registry, read: () => RouterGauges): void {
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_provider_rest_seconds',
      help: "Until a provider's model may be asked again, by what it told of its limits; 0: now",
      labelNames: ['target'],
    },
    () => read().targets.map(({ target, restSeconds }) => ({ labels: { target }, value: restSeconds })),
  );
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_provider_rests_total',
      help: 'Rests that a provider, or a model of it, was sent into: for its rate, its quota, its key, or to be paid',
      labelNames: ['provider', 'cause'],
    },
    () =>
      read().begunRests.map(({ provider, cause, count }) => ({ labels: { provider, cause }, value: count })),
  );
}

const PACE: readonly (readonly [what: string, help: string, of: (pace: TargetPace) => number])[] = [
  [
    'iteration_seconds',
    'What one iteration of its engine takes, as learned',
    (pace) => pace.iterationSeconds,
  ],
  ['decoding_seconds', 'What each answer being written adds to it', (pace) => pace.perDecodingSeconds],
  ['prompt_token_seconds', 'What each token of a prompt adds to it', (pace) => pace.perPromptTokenSeconds],
  ['drift_ratio', 'Times as slow as that says, of late', (pace) => pace.drift],
  ['backlog_tokens', 'Prompt tokens of ours that it is still to read', (pace) => pace.backlogTokens],
  ['unread_prompts', 'Requests of ours whose prompts those are', (pace) => pace.unreadPrompts],
  [
    'bytes_per_token',
    'Bytes of a prompt that one of its tokens takes, as learned',
    (pace) => pace.bytesPerToken,
  ],
  ['kv_capacity_tokens', 'What its key-value cache holds; 0: not known', (pace) => pace.kvCapacityTokens],
];

const openness = { closed: 0, half_open: 0.5, open: 1 } as const;
