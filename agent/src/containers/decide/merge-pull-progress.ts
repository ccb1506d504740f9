import { countOf } from '@ai-fabric/shared';
import { z } from 'zod';
import type { PullProgress } from '../container-engine.js';

const messageSchema = z.object({
  id: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  progressDetail: z
    .object({
      current: z.number().optional().catch(undefined),
      total: z.number().optional().catch(undefined),
    })
    .nullish()
    .catch(null),
  error: z.string().optional().catch(undefined),
  errorDetail: z.object({ message: z.string().optional() }).nullish().catch(null),
});

interface Layer {
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  readonly phase: 'waiting' | 'downloading' | 'downloaded' | 'extracting' | 'done';
}

/** Layers by their short id, and the error that the stream carried, which ends a pull though its status was 200. */
export interface PullState {
  readonly layers: ReadonlyMap<string, Layer>;
  readonly error: string | null;
}

export const noPull: PullState = { layers: new Map(), error: null };

/** More layers than an image can have; further ones are not counted. */
const MAX_LAYERS = 512;

/** Takes one message of the stream of `POST /images/create` in. What is no message changes nothing. */
export function mergePullProgress(state: PullState, message: unknown): PullState {
  const read = messageSchema.safeParse(message);
  if (!read.success) return state;
  const { id, status, progressDetail, error, errorDetail } = read.data;
  const said = error ?? errorDetail?.message;
  // The first error is the cause, what comes after it its echo.
  if (said !== undefined && said !== '') return state.error === null ? { ...state, error: said } : state;
  if (id === undefined || !/^[0-9a-f]{8,64}$/.test(id)) return state;
  const known = state.layers.get(id);
  if (known === undefined && state.layers.size >= MAX_LAYERS) return state;
  const layer = advance(known ?? FRESH, status ?? '', progressDetail?.current, progressDetail?.total);
  return { ...state, layers: new Map(state.layers).set(id, layer) };
}

const FRESH: Layer = { doneBytes: 0, totalBytes: null, phase: 'waiting' };

function advance(layer: Layer, status: string, current = Number.NaN, total = Number.NaN): Layer {
  const totalBytes = total > 0 ? Math.max(total, layer.totalBytes ?? 0) : layer.totalBytes;
  if (/^downloading/i.test(status)) {
    // A layer that is fetched anew after a break counts down for nobody.
    const doneBytes = current > 0 ? Math.max(current, layer.doneBytes) : layer.doneBytes;
    return within({ doneBytes, totalBytes, phase: 'downloading' });
  }
  if (/^extracting/i.test(status))
    return whole({ ...layer, totalBytes: layer.totalBytes ?? totalBytes }, 'extracting');
  if (/^(pull complete|already exists)/i.test(status)) return whole(layer, 'done');
  if (/^(verifying checksum|download complete)/i.test(status)) return whole(layer, 'downloaded');
  return within({ ...layer, totalBytes });
}

/** A total that is told late may be less than what was said to have come. */
function within(layer: Layer): Layer {
  const { doneBytes, totalBytes } = layer;
  return totalBytes !== null && doneBytes > totalBytes ? { ...layer, doneBytes: totalBytes } : layer;
}

function whole(layer: Layer, phase: Layer['phase']): Layer {
  return { doneBytes: layer.totalBytes ?? layer.doneBytes, totalBytes: layer.totalBytes, phase };
}

/** The sums over all layers. Bytes are those of the download: an engine extracts what it has fetched. */
export function sumPullProgress({ layers }: PullState): PullProgress {
  let doneBytes: number | null = null;
  let totalBytes: number | null = null;
  let layersDone = 0;
  let extracting = 0;
  for (const layer of layers.values()) {
    if (layer.totalBytes !== null) {
      totalBytes = (totalBytes ?? 0) + layer.totalBytes;
      doneBytes = (doneBytes ?? 0) + layer.doneBytes;
    }
    if (layer.phase === 'done' || layer.phase === 'downloaded') layersDone += 1;
    if (layer.phase === 'extracting') extracting += 1;
  }
  const layersKnown = layers.size;
  return {
    doneBytes,
    totalBytes,
    layersDone,
    layersKnown,
    text: describe({ doneBytes, totalBytes, layersDone, layersKnown, extracting }),
  };
}

function describe(sums: {
  readonly doneBytes: number | null;
  readonly totalBytes: number | null;
  readonly layersDone: number;
  readonly layersKnown: number;
  readonly extracting: number;
}): string {
  if (sums.layersKnown === 0) return 'asking the registry';
  const layers = `${sums.layersDone} of ${countOf(sums.layersKnown, 'layer')}`;
  if (sums.extracting > 0) return `unpacking, ${layers}`;
  if (sums.doneBytes === null || sums.totalBytes === null) return layers;
  return `${mebibytes(sums.doneBytes)} of ${mebibytes(sums.totalBytes)} MiB, ${layers}`;
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}
