import type { GpuChoice } from '@ai-fabric/shared';
import type { DeclaredDeployment, VllmDeployment } from '../declared-state.js';
import type { DeploymentEntry } from '../deployment-entry-schema.js';
import type { VllmEntry } from '../vllm-entry-schema.js';
import { copied, inOrder } from './order-capabilities.js';
import { findPreset } from './presets.js';

const DEFAULT_MAX_CONCURRENT = 16;

/** An entry of a fabric file with its preset and defaults filled in. `null` where neither says what model it is. */
export function buildDeployment(name: string, entry: DeploymentEntry): DeclaredDeployment | null {
  if (entry.engine === 'external') {
    const capabilities = inOrder(entry.capabilities);
    return { name, ...entry, url: entry.url.replace(/\/+$/, ''), capabilities };
  }
  return buildVllm(name, entry);
}

function buildVllm(name: string, entry: VllmEntry): VllmDeployment | null {
  const preset = entry.preset === null ? null : findPreset(entry.preset, entry.cardGigabytes);
  const task = entry.task ?? preset?.task;
  const model = entry.model ?? preset?.model;
  if (task === undefined || model === undefined) return null;
  // What a preset says of its own model says nothing of another.
  const ofModel = preset !== null && model === preset.model ? preset : null;
  return {
    name,
    ...entry,
    task,
    model,
    revision: entry.revision ?? null,
    servedModel: entry.servedModel ?? name,
    quantization: orElse(entry.quantization, ofModel?.quantization ?? null),
    contextTokens: orElse(entry.contextTokens, ofModel?.contextTokens ?? null),
    maxConcurrent: entry.maxConcurrent ?? ofModel?.maxConcurrent ?? DEFAULT_MAX_CONCURRENT,
    gpuMemoryRatio: entry.gpuMemoryRatio ?? null,
    extraArguments: entry.extraArguments ?? ofModel?.extraArguments ?? [],
    fallbacks: entry.fallbacks ?? ofModel?.fallbacks ?? [],
    capabilities: inOrder(entry.capabilities),
    gpu: readGpu(entry.gpu),
  };
}

/** As a fabric file has it, everything written out. */
export function serialiseDeployment(deployment: DeclaredDeployment): DeploymentEntry {
  const { name: _, ...entry } = deployment;
  const capabilities = copied(entry.capabilities);
  if (entry.engine === 'external') return { ...entry, capabilities };
  return {
    ...entry,
    capabilities,
    extraArguments: [...entry.extraArguments],
    fallbacks: [...entry.fallbacks],
    environment: { ...entry.environment },
    gpu: writeGpu(entry.gpu),
  };
}

function readGpu(gpu: VllmEntry['gpu']): GpuChoice {
  if (typeof gpu === 'number') return { select: 'index', index: gpu };
  if (gpu === 'any' || gpu === 'none') return { select: gpu };
  return { select: 'uuid', uuid: gpu };
}

function writeGpu(gpu: GpuChoice): VllmEntry['gpu'] {
  switch (gpu.select) {
    case 'index':
      return gpu.index;
    case 'uuid':
      return gpu.uuid;
    case 'any':
    case 'none':
      return gpu.select;
    default:
      return gpu satisfies never;
  }
}

/** `null` was said; nothing was not. */
function orElse<Value>(said: Value | null | undefined, otherwise: Value | null): Value | null {
  return said === undefined ? otherwise : said;
}
