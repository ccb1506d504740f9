import { describeUrlProblem } from '../../declared/decide/describe-url-problem.js';
import { ADDRESSED_PREFIXES, BARE_MODELS, FOREIGN_PREFIXES, KNOWN_PROVIDERS } from './known-providers.js';
import type { Fields, LitellmModel } from './litellm-config.js';
import { type PlacedAddress, placeAddress } from './place-address.js';

export type PlacedModel =
  | {
      readonly kind: 'engine';
      readonly host: string;
      readonly url: string;
      readonly model: string;
      readonly caution?: string;
    }
  | {
      readonly kind: 'cloud';
      /** What a provider of it is called. */
      readonly label: string;
      readonly baseUrl: string;
      readonly model: string;
      readonly keyVariable: string | null;
      readonly caution?: string;
    }
  | { readonly kind: 'none'; readonly why: string };

const OLLAMA = 'http://localhost:11434';
const AZURE_CAUTION =
  "reached through Azure's v1 API here, which knows no api_version; the model is the name of the Azure deployment";
const OLLAMA_CAUTION =
  'Ollama, reached by its OpenAI-compatible API: it has no metrics, so its load is known only as far as it comes from here';

/** What an entry of `model_list` is to us: an engine on a machine of one's own, a cloud's model, or nothing. */
export function placeModel({ params }: LitellmModel, environment: Fields): PlacedModel {
  const name = params['model'];
  if (typeof name !== 'string' || name === '') return none('an entry without litellm_params.model');
  if (name.includes('*')) return none('models with "*" are not known here: list each model that clients use');
  const { prefix, model } = splitName(name, params['custom_llm_provider']);
  if (FOREIGN_PREFIXES.has(prefix))
    return none(`"${prefix}" has an API of its own, which is not spoken here`);
  const base = resolveAddress(params['api_base'] ?? params['base_url'], environment);
  if (base === undefined) return placeKnown(prefix, model);
  if (base === null)
    return none('api_base comes from a variable that this file does not set: put the address in');
  const address = placeAddress(base);
  if (!address || describeUrlProblem(base, { example: OLLAMA, mayEndInVersion: true }) !== null) {
    return none('api_base is no plain address such as http://armitage:8000/v1');
  }
  if (prefix === 'azure') return azure(address, model);
  if (address.host !== null) return engine(prefix, address, address.host, model);
  const { hostname } = new URL(base);
  const label = KNOWN_PROVIDERS[prefix]?.baseUrl.includes(hostname) ? prefix : labelOf(hostname);
  const keyVariable = KNOWN_PROVIDERS[prefix]?.keyVariable ?? null;
  return { kind: 'cloud', label, baseUrl: base.replace(/\/+$/, ''), model, keyVariable };
}

/** LiteLLM names a provider before the first slash; a model's own name may have one too. */
function splitName(name: string, given: unknown): { prefix: string; model: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isPrefix =
    ADDRESSED_PREFIXES.has(first) || FOREIGN_PREFIXES.has(first) || Object.hasOwn(KNOWN_PROVIDERS, first);
  if (isPrefix || first === 'azure') return { prefix: first, model: name.slice(slash + 1) };
  if (typeof given === 'string') return { prefix: given, model: name };
  return { prefix: BARE_MODELS.find(([pattern]) => pattern.test(name))?.[1] ?? '', model: name };
}

/** @returns `undefined` where none is given, `null` where its variable is not known */
function resolveAddress(value: unknown, environment: Fields): string | null | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const variable = /^os\.environ\/(.+)$/.exec(value)?.[1];
  if (variable === undefined) return value;
  const known = environment[variable];
  return typeof known === 'string' ? known : null;
}

function placeKnown(prefix: string, model: string): PlacedModel {
  if (prefix === 'ollama' || prefix === 'ollama_chat') {
    const address = placeAddress(OLLAMA);
    return address?.host ? engine(prefix, address, address.host, model) : none('no address');
  }
  const known = Object.hasOwn(KNOWN_PROVIDERS, prefix) ? KNOWN_PROVIDERS[prefix] : undefined;
  if (!known) {
    return none(
      prefix === ''
        ? 'a model without a provider or api_base'
        : `no address of "${prefix}" is known; give its api_base`,
    );
  }
  return { kind: 'cloud', label: prefix.replaceAll('_', '-'), model, ...known };
}

function engine(prefix: string, address: PlacedAddress, host: string, model: string): PlacedModel {
  const caution = prefix.startsWith('ollama') ? { caution: OLLAMA_CAUTION } : {};
  return { kind: 'engine', host, url: address.root, model, ...caution };
}

function azure({ root }: PlacedAddress, model: string): PlacedModel {
  const baseUrl = /\/openai$/.test(root) ? `${root}/v1` : `${root}/openai/v1`;
  return {
    kind: 'cloud',
    label: 'azure',
    baseUrl,
    model,
    keyVariable: 'AZURE_API_KEY',
    caution: AZURE_CAUTION,
  };
}

/** `api.example.com` → `example`. */
function labelOf(hostname: string): string {
  const labels = hostname.split('.');
  return labels.at(-2) ?? labels[0] ?? 'cloud';
}

function none(why: string): PlacedModel {
  return { kind: 'none', why };
}
