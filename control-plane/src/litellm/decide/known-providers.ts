/** What LiteLLM calls a provider, where its OpenAI-compatible API is, and the variable that LiteLLM takes its key from. */
interface KnownProvider {
  readonly baseUrl: string;
  readonly keyVariable: string;
  /** What to look at after the import. */
  readonly caution?: string;
}

/** Addresses as the providers' own documents give them for OpenAI's clients. */
export const KNOWN_PROVIDERS: Readonly<Record<string, KnownProvider>> = {
  openai: { baseUrl: 'https://api.openai.com/v1', keyVariable: 'OPENAI_API_KEY' },
  groq: { baseUrl: 'https://api.groq.com/openai/v1', keyVariable: 'GROQ_API_KEY' },
  mistral: { baseUrl: 'https://api.mistral.ai/v1', keyVariable: 'MISTRAL_API_KEY' },
  deepseek: { baseUrl: 'https://api.deepseek.com/v1', keyVariable: 'DEEPSEEK_API_KEY' },
  openrouter: { baseUrl: 'https://openrouter.ai/api/v1', keyVariable: 'OPENROUTER_API_KEY' },
  together_ai: { baseUrl: 'https://api.together.xyz/v1', keyVariable: 'TOGETHERAI_API_KEY' },
  fireworks_ai: { baseUrl: 'https://api.fireworks.ai/inference/v1', keyVariable: 'FIREWORKS_AI_API_KEY' },
  xai: { baseUrl: 'https://api.x.ai/v1', keyVariable: 'XAI_API_KEY' },
  cerebras: { baseUrl: 'https://api.cerebras.ai/v1', keyVariable: 'CEREBRAS_API_KEY' },
  nvidia_nim: { baseUrl: 'https://integrate.api.nvidia.com/v1', keyVariable: 'NVIDIA_NIM_API_KEY' },
  deepinfra: { baseUrl: 'https://api.deepinfra.com/v1/openai', keyVariable: 'DEEPINFRA_API_KEY' },
  perplexity: { baseUrl: 'https://api.perplexity.ai', keyVariable: 'PERPLEXITYAI_API_KEY' },
  gemini: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    keyVariable: 'GEMINI_API_KEY',
    caution: "reached through Google's OpenAI-compatible API here: try it before you rely on it",
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    keyVariable: 'ANTHROPIC_API_KEY',
    caution: "reached through Anthropic's OpenAI-compatible API here: try it before you rely on it",
  },
};

/** Prefixes of engines and of anything else that speaks OpenAI's API at an address that the entry names. */
export const ADDRESSED_PREFIXES: ReadonlySet<string> = new Set([
  'openai',
  'text-completion-openai',
  'custom_openai',
  'openai_like',
  'hosted_vllm',
  'lm_studio',
  'llamafile',
  'xinference',
  'infinity',
  'docker_model_runner',
  'litellm_proxy',
  'ollama',
  'ollama_chat',
]);

/** Prefixes that have an API of their own. */
export const FOREIGN_PREFIXES: ReadonlySet<string> = new Set([
  'bedrock',
  'vertex_ai',
  'vertex_ai_beta',
  'sagemaker',
  'sagemaker_chat',
  'cohere',
  'cohere_chat',
  'huggingface',
  'replicate',
  'watsonx',
  'databricks',
  'voyage',
  'jina_ai',
  'cloudflare',
  'petals',
  'predibase',
  'azure_ai',
  'github_copilot',
  'vllm',
  'triton',
  'snowflake',
]);

/** Models that LiteLLM knows without a prefix. */
export const BARE_MODELS: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o[1-9](-|$)|text-embedding-|davinci|babbage)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'gemini'],
];
