import type { SecretFailure, SecretProblem } from '../../config/secret-result.js';
import type { DeclaredProvider } from '../../declared/declared-state.js';
import type { AskFact } from '../check-facts.js';
import { type Finding, finding } from '../finding.js';
import { fixOfSecret } from './fix-of-secret.js';

export interface ProviderFacts {
  readonly provider: DeclaredProvider;
  /** Why its key cannot be read; `null`: it can, or none is declared. */
  readonly keyProblem: Pick<SecretFailure, 'code' | 'detail'> | null;
  /** Why its place fails while the key is used as it last was read. */
  readonly keyFailing: SecretProblem | null;
  /** Of its models listing, which costs nothing; `null`: not asked, as the key is not there. */
  readonly ask: AskFact | null;
  /** Roles that nothing but this provider serves. */
  readonly aloneIn: readonly string[];
}

export function judgeProvider(facts: ProviderFacts): Finding[] {
  return [...judgeKeyPlace(facts), ...judgeAnswer(facts)];
}

function judgeKeyPlace({ provider, keyFailing }: ProviderFacts): Finding[] {
  if (keyFailing === null || provider.apiKey === null) return [];
  const where = { kind: 'provider', name: provider.name } as const;
  const what = `its key cannot be read any more (${keyFailing}): it is used as it last was, and missing after a restart`;
  const fix = fixOfSecret(provider.apiKey, keyFailing);
  return [finding('warning', 'provider_key_unread', where, what, { fix })];
}

function judgeAnswer({ provider, keyProblem, ask, aloneIn }: ProviderFacts): Finding[] {
  const where = { kind: 'provider', name: provider.name } as const;
  const grave = aloneIn.length > 0 ? 'error' : 'warning';
  const lost = aloneIn.length > 0 ? `; nothing else serves ${aloneIn.join(', ')}` : '';
  if (keyProblem !== null && provider.apiKey !== null) {
    const fix = fixOfSecret(provider.apiKey, keyProblem.code);
    const what = `no API key: ${withoutAdvice(keyProblem.detail)}${lost}`;
    const isExposed = keyProblem.code === 'file_readable_by_others';
    const code = isExposed ? 'provider_key_exposed' : 'provider_key_missing';
    return [finding(grave, code, where, what, { fix })];
  }
  if (ask === null) return [];
  const latencyMs = ask.tookMs;
  if (ask.kind === 'failed') {
    const what = `cannot be reached at ${provider.baseUrl} (${ask.code})${lost}`;
    const fix = 'look at this machine\'s way to the internet, its DNS, and "baseUrl"';
    return [finding(grave, 'provider_unreachable', where, what, { fix, latencyMs })];
  }
  if (ask.status === 401 || ask.status === 403) {
    const what =
      provider.apiKey === null
        ? `asks for a key (${ask.status}) and none is declared${lost}`
        : `refuses its key (${ask.status})${lost}`;
    const fix = 'replace the key where fabric.yaml says that it is; a file is read again by itself';
    return [finding('error', 'provider_key_refused', where, what, { fix, latencyMs })];
  }
  if (ask.status === 429) {
    const what = 'answers that its rate or quota is used up (429)';
    const fix = 'look at the plan and billing of this account';
    return [finding('warning', 'provider_limited', where, what, { fix, latencyMs })];
  }
  if (ask.status >= 500) {
    const what = `answers ${ask.status}${lost}`;
    return [finding(grave, 'provider_failing', where, what, { fix: 'see its status page', latencyMs })];
  }
  if (ask.status !== 200 || ask.modelIds === null) {
    const what = `answers, and lists no models (${ask.status}): its key is not proven`;
    return [finding('info', 'provider_lists_nothing', where, what, { latencyMs })];
  }
  return judgeModels(provider, ask.modelIds, latencyMs);
}

/** A secret's problem says first what is wrong, then, behind a semicolon, what mends it. */
function withoutAdvice(detail: string): string {
  return detail.split('; ', 1)[0] ?? detail;
}

function judgeModels(provider: DeclaredProvider, listed: readonly string[], latencyMs: number): Finding[] {
  const where = { kind: 'provider', name: provider.name } as const;
  const unknown = [...provider.models.values()].filter(({ model }) => !listed.includes(model));
  if (unknown.length === 0) {
    const count = provider.models.size;
    const what = `takes its key and lists ${count === 1 ? 'its model' : `all ${count} declared models`}`;
    return [finding('ok', 'provider', where, what, { latencyMs })];
  }
  const names = unknown.map(({ name, model }) => `${provider.name}/${name} (${model})`).join(', ');
  const what = `takes its key and does not list ${names}`;
  const fix = 'look whether the model has another name there now, or whether this account may use it';
  return [finding('warning', 'provider_model_unlisted', where, what, { fix, latencyMs })];
}
