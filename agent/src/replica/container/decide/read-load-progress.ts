import { countOf } from '@ai-fabric/shared';
/** What a loading engine's log line says of how far it is. */
export interface LoadProgress {
  readonly text: string;
  /** Of a whole, where the line tells. */
  readonly ratio: number | null;
}

interface Rule {
  readonly pattern: RegExp;
  readonly read: (match: RegExpMatchArray) => LoadProgress;
}

const plain = (text: string) => (): LoadProgress => ({ text, ratio: null });

/** As vLLM 0.6 to 0.32 prints them. */
const RULES: readonly Rule[] = [
  {
    pattern: /Loading (?:safetensors|pt|gguf)[\w ]*shards:\s+(\d+)% Completed \| (\d+)\/(\d+)/,
    read: ([, percent, done, total]) => ({
      text: `loading weights, ${done} of ${countOf(Number(total), 'file')}`,
      ratio: Number(percent) / 100,
    }),
  },
  {
    pattern: /(?:\.safetensors|\.bin|\.gguf|Fetching \d+ files|Downloading shards):\s+(\d+)%/,
    read: ([, percent]) => ({ text: `downloading weights, ${percent} %`, ratio: Number(percent) / 100 }),
  },
  {
    pattern: /Capturing CUDA graph[\w ()=,-]*:\s+(\d+)%/,
    read: ([, percent]) => ({ text: `capturing CUDA graphs, ${percent} %`, ratio: Number(percent) / 100 }),
  },
  { pattern: /Starting to load model/, read: plain('loading weights') },
  { pattern: /Loading weights took|Model loading took/, read: plain('weights are loaded') },
  { pattern: /torch\.compile|Dynamo bytecode transform|Compiling a graph/, read: plain('compiling') },
  { pattern: /Available KV cache memory|GPU KV cache size/, read: plain('laying out the KV cache') },
  { pattern: /Graph capturing finished|init engine \(profile/, read: plain('the engine is initialised') },
  {
    pattern: /Starting vLLM API server|Started server process|Application startup complete/,
    read: plain('opening its server'),
  },
];

/** `null` for a line that says nothing of it. */
export function readLoadProgress(line: string): LoadProgress | null {
  const text = line.slice(0, 2_000);
  for (const { pattern, read } of RULES) {
    const match = text.match(pattern);
    if (match) return read(match);
  }
  return null;
}

const FOOTPRINT = /Model loading took ([\d.]+) (GiB|GB)/;

/** What the weights take on the card, as the engine itself measured it. @returns bytes */
export function readWeightBytes(line: string): number | null {
  const [, amount, unit] = line.slice(0, 2_000).match(FOOTPRINT) ?? [];
  const value = Number(amount);
  if (amount === undefined || !Number.isFinite(value)) return null;
  return Math.round(value * (unit === 'GiB' ? 1024 ** 3 : 1e9));
}
