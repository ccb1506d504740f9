import type { VllmSimulatorOptions } from './options.js';

/** What `vllm serve` would make of these arguments, as far as the simulator knows them. */
export function readVllmArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): VllmSimulatorOptions {
  const flag = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    if (at >= 0) return argv[at + 1];
    return argv.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1);
  };
  const positional = argv[0]?.startsWith('-') ? undefined : argv[0];
  const model = flag('--model') ?? positional ?? 'model';
  const length = flag('--max-model-len');
  const concurrent = flag('--max-num-seqs');
  const pooling = flag('--runner') === 'pooling' || flag('--task') === 'embed';
  const apiKey = environment['VLLM_API_KEY'];
  const sleepMode = argv.includes('--enable-sleep-mode') && environment['VLLM_SERVER_DEV_MODE'] === '1';
  return {
    model: flag('--served-model-name') ?? model,
    root: model,
    ...(pooling ? { runner: 'pooling' as const } : {}),
    ...(length === undefined ? {} : { maxModelLen: Number(length) }),
    ...(concurrent === undefined ? {} : { maxConcurrent: Number(concurrent) }),
    ...(apiKey === undefined ? {} : { apiKey }),
    sleepMode,
  };
}
