import type { ImportNote, LitellmConfig, LitellmModel } from './litellm-config.js';

const LIMITS = 'limits belong to keys here, not to models';
const PRICES = 'prices are not kept here';
const REQUEST = 'requests are passed on as clients send them: set it in the client';
const CALLBACKS = 'there are no callbacks: requests are in the request log, and figures at /metrics';
const CACHE = 'answers are not cached here; vLLM caches prefixes by itself';
const REDIS = 'the control plane is one process with its own registry: no Redis';
const DATABASE = 'the registry is a SQLite file in the data directory';
const ROUTING = 'deployments next to each other compete by predicted load';
const RETRIES = 'a request is tried elsewhere until its first byte came; there is nothing to set';
const COOLDOWN = 'a breaker keeps requests off what fails; there is nothing to set';
const KEYS = 'keys are made with "ai-fabric keys create"; the admin token is a file in the data directory';
const LOG = 'logs are JSON lines without bodies; the level is that of "up --log-level"';

const MAPPED_PARAMS: ReadonlySet<string> = new Set([
  ...['model', 'api_base', 'base_url', 'api_key', 'custom_llm_provider', 'timeout', 'stream_timeout'],
  ...['max_parallel_requests', 'litellm_credential_name', 'api_version'],
]);
const MAPPED_INFO: ReadonlySet<string> = new Set(['mode', 'id', 'base_model', 'description']);
const MAPPED_SETTINGS: ReadonlySet<string> = new Set([
  'router_settings.model_group_alias',
  'router_settings.fallbacks',
  'router_settings.default_fallbacks',
  'router_settings.timeout',
  'router_settings.stream_timeout',
  'litellm_settings.fallbacks',
  'litellm_settings.default_fallbacks',
  'litellm_settings.request_timeout',
]);

const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^(rpm|tpm|max_budget|budget_duration|.*max_parallel_requests|.*_limit)$/, LIMITS],
  [/cost|budget|spend|currency/, PRICES],
  [/callback|langfuse|alert|turn_off_message_logging|redact/, CALLBACKS],
  [/redis/, REDIS],
  [/cache|caching/, CACHE],
  [/^(database|store_model|store_prompts|use_redis)|_db$|_db_|^db_/, DATABASE],
  [
    /fallbacks$/,
    'there is one list of targets for every reason to go on: context and content policy have none of their own',
  ],
  [/routing|weight|order|enable_pre_call_checks|tags?$|tag_/, ROUTING],
  [/retr(y|ies)/, RETRIES],
  [/cooldown|allowed_fails/, COOLDOWN],
  [/master_key|salt_key|custom_auth|jwt|key_management|key_generation|allowed_routes|ui_/, KEYS],
  [/verbose|json_logs|log/, LOG],
  [
    /^(max_input_tokens|max_tokens|max_output_tokens)$/,
    'an engine says itself how long its context is; for a model of a provider, declare contextTokens',
  ],
  [/^supports_/, 'a list of capabilities names all that a model can: declare it by hand'],
  [/health_check/, 'agents prove each replica with a real token; there is nothing to set'],
  [/guardrail|prompt|mcp|agent|vector_store/, 'there is nothing like it here'],
  [
    /^(drop_params|modify_params|temperature|top_p|seed|stop|max_completion_tokens|extra_body|additional_drop_params|presence_penalty|frequency_penalty|num_ctx|keep_alive)$/,
    REQUEST,
  ],
  [/^(organization|extra_headers|headers|default_headers)$/, 'no further headers are sent to a provider'],
  [
    /^(aws_|vertex_|azure_ad|tenant_id|client_|region_name)/,
    'a provider has one key here, sent as a bearer token',
  ],
];
const UNKNOWN = 'not known here, and left out';

/** Every setting that is not carried over, with why. */
export function listUnmapped(config: LitellmConfig): ImportNote[] {
  return [
    ...config.models.flatMap(unmappedOfModel),
    ...Object.entries(config.sections).flatMap(([section, fields]) =>
      Object.keys(fields)
        .filter((key) => !MAPPED_SETTINGS.has(`${section}.${key}`))
        .map((key) => note([section, key])),
    ),
  ];
}

function unmappedOfModel({ params, info, path }: LitellmModel): ImportNote[] {
  const of = (section: string, fields: object, mapped: ReadonlySet<string>) =>
    Object.keys(fields)
      .filter((key) => !mapped.has(key))
      .map((key) => note([...path, section, key]));
  return [...of('litellm_params', params, MAPPED_PARAMS), ...of('model_info', info, MAPPED_INFO)];
}

function note(path: readonly (string | number)[]): ImportNote {
  const key = String(path.at(-1));
  const message = MEANINGS.find(([pattern]) => pattern.test(key))?.[1] ?? UNKNOWN;
  return { path, kind: 'no_counterpart', message };
}
