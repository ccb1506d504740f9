import type { RequestPack } from './decide/request-pack.js';
import type { RegistryErrorCode } from './registry-error.js';
import type { Observation } from './registry-types.js';

/** Between the main thread and the observation worker. */
export type ToObservationWorker =
  | {
      readonly kind: 'write';
      readonly batchId: number;
      readonly nowMs: number;
      readonly observations: readonly Observation[];
      readonly requests: readonly RequestPack[];
    }
  /** Forget what is older than the bounds allow. */
  | { readonly kind: 'prune'; readonly nowMs: number }
  | { readonly kind: 'close' };

export type FromObservationWorker =
  | { readonly kind: 'written'; readonly batchId: number }
  | {
      readonly kind: 'failed';
      readonly batchId: number;
      readonly code: RegistryErrorCode;
      readonly detail: string;
    }
  /** Old events could not be forgotten; nothing is lost by it, and it is tried again. */
  | { readonly kind: 'pruneFailed'; readonly detail: string };

export interface ObservationWorkerData {
  /** Of this process, among all that ever wrote to the file. */
  readonly runId: string;
  readonly registryFile: string;
}
