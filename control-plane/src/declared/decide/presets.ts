import type { Fallback, Task } from '@ai-fabric/shared';

/** The sizes of card that presets are made for: memory as it stands on the box. */
export const CARD_GIGABYTES = [8, 12] as const;
export type CardGigabytes = (typeof CARD_GIGABYTES)[number];

export const presetNames = [
  'chat-fast',
  'chat-deep',
  'embeddings-general',
  'code-assist',
  'vision-general',
  'audio-transcribe',
] as const;
export type PresetName = (typeof presetNames)[number];

/** What a preset says; anything of it may be said otherwise in the declaration. */
export interface Preset {
  readonly task: Task;
  readonly model: string;
  readonly quantization: string | null;
  readonly contextTokens: number;
  readonly maxConcurrent: number;
  readonly extraArguments: readonly string[];
  readonly fallbacks: readonly Fallback[];
}

/** Both cards get one model: vectors of two models would not match. */
const EMBEDDINGS: Preset = {
  task: 'embeddings',
  model: 'Qwen/Qwen3-Embedding-0.6B',
  quantization: null,
  contextTokens: 8_192,
  maxConcurrent: 32,
  extraArguments: [],
  fallbacks: [{ contextTokens: 2_048, maxConcurrent: 16 }],
};

/** 1.6 GB: the same for both. Whisper's decoder takes 448 tokens. */
const TRANSCRIPTION: Preset = {
  task: 'transcription',
  model: 'openai/whisper-large-v3-turbo',
  quantization: null,
  contextTokens: 448,
  maxConcurrent: 8,
  extraArguments: [],
  fallbacks: [{ maxConcurrent: 2 }],
};

const TOOLS = ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'] as const;
const ONE_IMAGE = ['--limit-mm-per-prompt', '{"image":1,"video":0}'] as const;

/**
 * AWQ weights, which every card from Turing on runs; contexts that fit beside them with the declared
 * concurrency. The quantisation is left to the engine, which finds the faster kernels by itself where none is forced.
 */
const PRESETS: { readonly [Name in PresetName]: { readonly [Size in CardGigabytes]: Preset } } = {
  'chat-fast': {
    8: awqChat('Qwen/Qwen2.5-3B-Instruct-AWQ', 8_192, 8, TOOLS),
    12: awqChat('Qwen/Qwen2.5-7B-Instruct-AWQ', 8_192, 6, TOOLS),
  },
  'chat-deep': {
    8: awqChat('Qwen/Qwen3-4B-AWQ', 6_144, 2, TOOLS),
    12: awqChat('Qwen/Qwen3-8B-AWQ', 6_144, 2, TOOLS),
  },
  'embeddings-general': { 8: EMBEDDINGS, 12: EMBEDDINGS },
  'code-assist': {
    8: awqChat('Qwen/Qwen2.5-Coder-3B-Instruct-AWQ', 16_384, 4, []),
    12: awqChat('Qwen/Qwen2.5-Coder-7B-Instruct-AWQ', 16_384, 3, []),
  },
  'vision-general': {
    8: awqChat('Qwen/Qwen2.5-VL-3B-Instruct-AWQ', 8_192, 2, ONE_IMAGE),
    12: awqChat('Qwen/Qwen2.5-VL-7B-Instruct-AWQ', 8_192, 2, ONE_IMAGE),
  },
  'audio-transcribe': { 8: TRANSCRIPTION, 12: TRANSCRIPTION },
};

export function findPreset(name: PresetName, cardGigabytes: CardGigabytes): Preset {
  return PRESETS[name][cardGigabytes];
}

function awqChat(
  model: string,
  contextTokens: number,
  maxConcurrent: number,
  extraArguments: readonly string[],
): Preset {
  return {
    task: 'chat',
    model,
    quantization: null,
    contextTokens,
    maxConcurrent,
    extraArguments,
    fallbacks: [
      { contextTokens: contextTokens / 2 },
      { contextTokens: contextTokens / 4, maxConcurrent: Math.max(1, Math.floor(maxConcurrent / 2)) },
    ],
  };
}
