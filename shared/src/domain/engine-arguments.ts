/**
 * What the agent gives to vLLM itself, each with what says it in a declaration (`null`: nothing does). Said a second
 * time as an extra argument or variable it would undo what the fabric relies on: a key, loopback, the served name.
 */
const OWN_ARGUMENTS: ReadonlyMap<string, string | null> = new Map([
  ['--model', 'model'],
  ['--model-tag', 'model'],
  ['--revision', 'revision'],
  ['--tokenizer-revision', 'revision'],
  ['--served-model-name', 'servedModel'],
  ['--quantization', 'quantization'],
  ['-q', 'quantization'],
  ['--max-model-len', 'contextTokens'],
  ['--max-num-seqs', 'maxConcurrent'],
  ['--gpu-memory-utilization', 'gpuMemoryRatio'],
  ['--enable-sleep-mode', 'parkable'],
  ['--runner', 'task'],
  ['--task', 'task'],
  ['--port', 'port'],
  ['--host', 'reach'],
  ['--api-key', null],
  ['--uds', null],
  ['--root-path', null],
  ['--ssl-keyfile', null],
  ['--ssl-certfile', null],
  ['--config', null],
  ['--headless', null],
]);

const OWN_VARIABLES: ReadonlySet<string> = new Set([
  'VLLM_API_KEY',
  'VLLM_SERVER_DEV_MODE',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'TRANSFORMERS_CACHE',
  'VLLM_CACHE_ROOT',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
  'CUDA_VISIBLE_DEVICES',
]);

/**
 * The option that an argument names, as vLLM reads it: `--max_model_len=8` is `--max-model-len`, `--kv.port` is `--kv`.
 * `null` for a value.
 */
export function optionOf(argument: string): string | null {
  if (!/^--?[A-Za-z]/.test(argument)) return null;
  if (!argument.startsWith('--')) return argument.slice(0, 2);
  const [name = ''] = argument.split(/[=.]/);
  return name.replaceAll('_', '-').toLowerCase();
}

/** @returns what to declare instead (`null`: nothing), or `undefined` where the argument is not the agent's own */
export function ownArgument(argument: string): string | null | undefined {
  const option = optionOf(argument);
  return option === null ? undefined : OWN_ARGUMENTS.get(option);
}

export function isOwnVariable(name: string): boolean {
  return OWN_VARIABLES.has(name.toUpperCase());
}
