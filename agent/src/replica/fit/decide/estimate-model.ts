/** What a model's name says of its size, and what is known of its family. Sizes in bytes, parameters as a count. */
export interface ModelEstimate {
  /** `null` where the name does not say. */
  readonly weightsBytes: number | null;
  /** Keys and values of one token of context; 0 where none are kept. */
  readonly kvBytesPerToken: number;
}

export interface ModelDeclaration {
  /** `organisation/name` */
  readonly model: string;
  readonly quantization: string | null;
  /** As `--kv-cache-dtype` has it; `null`: as the model has it. */
  readonly kvCacheType: string | null;
}

const BILLION = 1e9;
/** Of a quantised model the embeddings, and of one that sees the whole eye, stay as they were. */
const VISION_BYTES = 1.4e9;

/** `8x7B`: experts share what is no expert, some 12 % less than the product; `E4B` loads more than it names. */
const EXPERTS = /(?:^|[^0-9a-z.])(\d+)x(\d+(?:\.\d+)?)b(?![a-z0-9])/i;
const BILLIONS = /(?:^|[^0-9a-z.])(\d+(?:\.\d+)?)b(?![a-z0-9])/i;
const MILLIONS = /(?:^|[^0-9a-z.])(\d+(?:\.\d+)?)m(?![a-z0-9])/i;

/** Parameters of models whose names do not say them, from their cards at Hugging Face; the first that is found counts. */
const KNOWN: readonly (readonly [RegExp, number])[] = [
  [/whisper-large-v3-turbo/, 0.81e9],
  [/whisper-large/, 1.55e9],
  [/whisper-medium/, 0.77e9],
  [/whisper-small/, 0.24e9],
  [/whisper-base/, 0.074e9],
  [/whisper-tiny/, 0.039e9],
  [/bge-(m3|reranker-v2-m3)/, 0.57e9],
  [/(bge|gte|e5)-(reranker-)?large|multilingual-e5-large|mxbai-embed-large/, 0.56e9],
  [/(bge|gte|e5)-(reranker-)?base|nomic-embed|multilingual-e5-base/, 0.28e9],
  [/(bge|gte|e5)-small|all-minilm/, 0.12e9],
  [/phi-3\.5-mini|phi-3-mini|phi-4-mini/, 3.84e9],
  [/phi-4/, 14.7e9],
  [/mistral-nemo/, 12.2e9],
  [/mistral-small/, 24e9],
  [/gpt-oss-120b/, 117e9],
  [/gpt-oss/, 21e9],
];

/** From the models' `config.json`: layers × heads of keys and values × their length × 2 (keys, values) × 2 bytes. */
const KV_OF_FAMILY: readonly (readonly [RegExp, readonly (readonly [number, number])[]])[] = [
  [
    /qwen2/,
    [
      [0.6, 12_288],
      [1.8, 28_672],
      [4, 36_864],
      [9, 57_344],
      [16, 196_608],
      [40, 262_144],
      [80, 327_680],
    ],
  ],
  [
    /qwen3/,
    [
      [2, 114_688],
      [9, 147_456],
      [16, 163_840],
      [40, 262_144],
    ],
  ],
  [
    /llama-?3/,
    [
      [1.5, 32_768],
      [4, 114_688],
      [9, 131_072],
      [80, 327_680],
    ],
  ],
];
/** Of a family that is not known: on the safe side. */
const KV_OF_SIZE: readonly (readonly [number, number])[] = [
  [2, 114_688],
  [9, 147_456],
  [16, 204_800],
  [40, 262_144],
  [Number.POSITIVE_INFINITY, 335_872],
];
/** Models that read a text as a whole keep nothing of it; Whisper's decoder is short. */
const WITHOUT_KV = /(^|[/-])(bge|gte|e5|all-minilm|nomic|mxbai|multilingual-e5|whisper)([-_]|$)/;

/** What is known of a model by its name alone: the weights in its cache, where there are any, know better. */
export function estimateModel(declared: ModelDeclaration): ModelEstimate {
  const name = declared.model.toLowerCase();
  const parameters = parametersOf(name);
  const bytes = bytesPerParameter(name, declared.quantization, parameters);
  const eye = bytes < 2 && /(^|[^a-z])(vl|vision|omni)([^a-z]|$)/.test(name) ? VISION_BYTES : 0;
  return {
    weightsBytes: parameters === null ? null : Math.round(parameters * bytes + eye),
    kvBytesPerToken: kvBytesPerToken(name, parameters, declared.kvCacheType),
  };
}

function parametersOf(name: string): number | null {
  const base = name.split('/').at(-1) ?? name;
  for (const [pattern, parameters] of KNOWN) if (pattern.test(base)) return parameters;
  const experts = EXPERTS.exec(base);
  if (experts) return Number(experts[1]) * Number(experts[2]) * BILLION * 0.88;
  const billions = BILLIONS.exec(base);
  if (billions) return Number(billions[1]) * BILLION;
  const millions = MILLIONS.exec(base);
  return millions ? (Number(millions[1]) * BILLION) / 1_000 : null;
}

/**
 * Four bits are more than half a byte: scales, and embeddings that stay at sixteen, which weigh the more the smaller a
 * model is. Names round down ("7B" has 7.6). Measured: Qwen2.5-7B-AWQ 5.6 GB, Llama-3.1-8B-AWQ 5.7, 14B 9.9, 72B 41.
 */
function bytesPerParameter(name: string, quantization: string | null, parameters: number | null): number {
  const said = `${quantization ?? ''} ${name}`;
  const billions = (parameters ?? 0) / BILLION;
  if (/awq|gptq|int4|w4a16|nf4|bnb-4bit|4bit|mxfp4|nvfp4|fp4|autoround|gpt-oss|q4_/.test(said)) {
    if (/int8|w8a8|w8a16|8bit/.test(said)) return 1.1;
    return billions < 10 ? 0.8 : billions < 20 ? 0.72 : 0.62;
  }
  if (/fp8|int8|w8a8|w8a16|8bit|modelopt|q8_/.test(said)) return billions < 10 ? 1.2 : 1.1;
  if (/bitsandbytes|bnb/.test(said)) return billions < 10 ? 0.8 : 0.65;
  return 2.1;
}

function kvBytesPerToken(name: string, parameters: number | null, kvCacheType: string | null): number {
  if (WITHOUT_KV.test(name)) return 0;
  const billions = (parameters ?? 8 * BILLION) / BILLION;
  const family = KV_OF_FAMILY.find(([pattern]) => pattern.test(name))?.[1] ?? KV_OF_SIZE;
  const found = family.find(([most]) => billions <= most) ?? KV_OF_SIZE.find(([most]) => billions <= most);
  const bytes = found?.[1] ?? 335_872;
  return kvCacheType?.startsWith('fp8') === true ? bytes / 2 : bytes;
}
