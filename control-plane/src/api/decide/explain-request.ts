import { countOf } from '@ai-fabric/shared';
import type { ExplainedRequest, RouteRound } from '../../registry/request-types.js';

export interface Explanation {
  /** One sentence: who served it and why, or why nobody did. */
  readonly whyHere: string;
  /** One sentence for each target that did not serve it, with its reason. */
  readonly whyNotThere: readonly { readonly target: string; readonly code: string; readonly words: string }[];
}

/**
 * A request's way, in words. Codes of a newer or older program are told as they are.
 *
 * @param request `rounds` is `null` where they were not kept
 */
export function explainRequest(request: ExplainedRequest): Explanation {
  return { whyHere: whyHere(request), whyNotThere: whyNotThere(request) };
}

/** `held 12 s: armitage-chat was not ready`; empty where it was not held. */
function held({ rounds, queueMs }: ExplainedRequest): string {
  const round = rounds?.findLast(({ reason }) => holdOf(reason) in HOLDS);
  if (round === undefined) return '';
  const { what, verdicts } = HOLDS[holdOf(round.reason)] ?? { what: '', verdicts: [] };
  const targets = round.considered.filter(({ verdict }) => verdicts.includes(verdict));
  const names = targets.map(({ target }) => target).join(', ');
  const requestClass = round.reason.slice(holdOf(round.reason).length + 1);
  const inClass = requestClass === '' ? '' : ` in class ${requestClass}`;
  return `held ${Math.round(queueMs / 100) / 10} s${inClass}: ${names === '' ? 'a target' : names} ${what}`;
}

/** `held_full` of `held_full_batch`: behind it stands its class, where it was not the usual one. */
function holdOf(reason: string): string {
  return /^held_[a-z]+/.exec(reason)?.[0] ?? reason;
}

function whyHere(request: ExplainedRequest): string {
  const { target, host, attempts, role, outcome, reason, consideredCount } = request;
  const asked = role === '' ? 'the request' : `"${role}"`;
  if (attempts === 0) return whyNowhere(asked, request);
  const choice = request.rounds?.findLast((round) => chosenOf(round) === target)?.reason;
  const why = choice ?? (consideredCount <= 1 ? 'only_candidate' : null);
  const chosen = why === null ? '' : `: ${CHOICES[why] ?? codeWords(why)}`;
  const tries = attempts === 1 ? '' : ` (attempt ${attempts})`;
  const wait = held(request);
  const asking = `${asked} went to ${target} on ${host}${tries}${chosen}${wait === '' ? '' : `; ${wait}`}`;
  return outcome === 'ok' ? `${asking}.` : `${asking}. ${ENDS[outcome] ?? outcome} (${codeWords(reason)}).`;
}

function whyNowhere(asked: string, request: ExplainedRequest): string {
  const { outcome, reason, consideredCount } = request;
  const wait = held(request);
  const after = wait === '' ? '' : ` (${wait})`;
  if (outcome === 'client_gone') return `The client left before ${asked} was sent anywhere${after}.`;
  const looked =
    consideredCount === 0 ? 'no target was looked for' : `${countOf(consideredCount, 'target')} looked at`;
  const areAway = reason === 'host_away' && consideredCount > 1;
  const why = areAway ? 'the hosts of its targets were away' : (REFUSALS[reason] ?? codeWords(reason));
  return `${asked} went nowhere: ${why} (${looked})${wait === '' ? '' : `; ${wait}`}.`;
}

function whyNotThere({ rounds, target, outcome }: ExplainedRequest): Explanation['whyNotThere'] {
  const told = new Map<string, { target: string; code: string; words: string }>();
  for (const round of rounds ?? []) {
    const chosen = chosenOf(round);
    const chosenCost = round.considered.find((each) => each.verdict === 'chosen')?.costSeconds ?? null;
    for (const { target: other, verdict, costSeconds } of round.considered) {
      if (other === chosen || verdict === 'already_tried') continue;
      told.set(other, {
        target: other,
        code: verdict,
        words: verdictWords(verdict, costSeconds, chosenCost, round.reason),
      });
    }
    for (const { verdict, count } of round.others ?? []) {
      const target = `${countOf(count, 'other')} (${codeWords(verdict)})`;
      told.set(target, { target, code: verdict, words: verdictWords(verdict, null, null, round.reason) });
    }
    if (round.failure !== null && chosen !== null) {
      const words = `it was asked, and the attempt failed: ${codeWords(round.failure)}`;
      told.set(chosen, { target: chosen, code: round.failure, words });
    }
  }
  if (outcome === 'ok') told.delete(target);
  return [...told.values()];
}

function chosenOf(round: RouteRound): string | null {
  return round.considered.find((each) => each.verdict === 'chosen')?.target ?? null;
}

function verdictWords(
  verdict: string,
  cost: number | null,
  chosenCost: number | null,
  choice: string,
): string {
  if (verdict === 'passed_over') {
    if (cost === null || chosenCost === null) return 'it could have served it, another was chosen';
    if (cost > chosenCost)
      return `it would have taken longer: ${seconds(cost)} against ${seconds(chosenCost)}`;
    const why =
      choice === 'affinity' ? 'the other has served what came before this' : 'chance chose the other';
    return `it would have taken no longer (${seconds(cost)}), and ${why}`;
  }
  return VERDICTS[verdict] ?? codeWords(verdict);
}

function seconds(cost: number): string {
  return cost < 1 ? `${Math.round(cost * 1000)} ms` : `${cost.toFixed(1)} s`;
}

function codeWords(code: string): string {
  return code.replaceAll('_', ' ');
}

/** What was waited for, and the verdicts of the targets that it concerns. */
const HOLDS: Readonly<Record<string, { readonly what: string; readonly verdicts: readonly string[] }>> = {
  held_full: { what: 'was full', verdicts: ['full'] },
  held_loading: { what: 'was on its way and not ready yet', verdicts: ['not_ready', 'already_tried'] },
  held_waking: {
    what: 'slept and was being woken',
    verdicts: ['host_asleep', 'not_ready', 'tunnel_down', 'address_unknown', 'host_late'],
  },
  held_silent: {
    what: 'had just fallen silent',
    verdicts: ['host_late', 'breaker_open', 'already_tried', 'not_ready'],
  },
};

const CHOICES: Readonly<Record<string, string>> = {
  only_candidate: 'it was the only one that could take it',
  least_cost: 'it was predicted to answer soonest of those that could take it',
  least_load: 'it was the least busy of those that could take it',
  tie_broken: 'it was among those predicted to answer soonest, and chance chose it',
  affinity: 'it has served what came before this, and was predicted to answer about as soon as the best',
  cloud_fallback: 'no target before it could take it, and the cloud is allowed',
  cloud_while_waking: 'its host slept and is woken for the next one, and the cloud is allowed',
  wait_exceeded: 'the targets before it could not take it, or not as soon as its whenWaitExceeds says',
  asked_by_name: 'it was asked for by its own name',
};

const ENDS: Readonly<Record<string, string>> = {
  client_error: 'The engine found the request at fault',
  refused: 'Then nothing was left to ask',
  failed: 'Every attempt failed',
  interrupted: 'The answer broke off after it had begun',
  client_gone: 'The client left before the end',
};

const REFUSALS: Readonly<Record<string, string>> = {
  no_capacity: 'all that could serve it was full',
  host_away: 'its host was away',
  host_asleep: 'its host slept, and was not woken for it',
  waking: 'its host was being woken, and could not be ready in the time that it may wait',
  loading: 'its replica was on its way, and not ready in time',
  not_ready: 'nothing that serves it was ready',
  yielded: 'the card was in use by the owner of its host',
  all_failed: 'every attempt failed',
  context_too_long: 'it was too long for every target',
  wrong_task: 'no target does this task',
  endpoint_not_spoken: 'no target speaks this endpoint',
  cloud_not_allowed: 'only the cloud could serve it, and the key may not use the cloud',
  local_only: 'only the cloud could serve it, and the client asked for no cloud',
  provider_key_missing: 'only a provider could serve it, and there was no API key for it',
  lacks_capability: 'no target can do what it needs',
  condition_unmet: 'the role keeps its targets for other requests',
  unknown_target: 'it asked for a target that is none of the role',
  rate_limited: 'only a provider could serve it, and that one limited its rate',
  provider_refuses: 'only a provider could serve it, and that one refused its key or wanted to be paid first',
  model_not_found: 'there is no such model or role',
  invalid_api_key: 'the key was none of ours',
  origin_not_allowed: 'it came from a page that is not allowed',
  host_not_allowed: 'it was sent to a name that is none of this machine',
  shutting_down: 'the control plane was stopping',
};

const VERDICTS: Readonly<Record<string, string>> = {
  host_away: 'its host had no link (asleep, off, or never joined)',
  host_asleep: 'its host slept, or was being woken',
  host_late: 'its host had fallen silent',
  draining: 'its host was draining',
  yielded: 'the owner of its host had the card',
  not_ready: 'its replica was not ready',
  tunnel_down: 'the tunnel to its host was down',
  address_unknown: 'where it is reached directly was not known',
  full: 'every slot was taken, or its engine said that its queue was full',
  breaker_open: 'it had failed repeatedly and was resting',
  context_too_long: 'the prompt was too long for it',
  wrong_task: 'it is not for this task',
  endpoint_not_spoken: 'its provider is not declared to speak this endpoint',
  other_model: 'it serves another model, whose vectors would not match',
  cloud_not_allowed: 'the key may not use the cloud',
  local_only: 'the client asked for no cloud (x-fabric-local-only)',
  provider_key_missing: 'there was no API key for its provider',
  lacks_capability: 'it is not declared to do what the request needs',
  not_that_target: 'the client asked for another target (x-fabric-target)',
  condition_context: 'its role keeps it for shorter requests (maxContext)',
  condition_capability: 'its role keeps it for requests that need what this one does not (capabilities)',
  condition_local: 'its role keeps it for requests that may not leave the own hosts (localOnly)',
  not_yet: 'its role asks it when the others take longer (whenWaitExceeds)',
  rate_limited: 'its provider limited its rate and had told when to come again',
  provider_refuses: 'its provider had refused its key, or wanted to be paid first',
};
