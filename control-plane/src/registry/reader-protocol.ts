import type { QueryName } from './reader-queries.js';
import type { RegistryErrorCode } from './registry-error.js';

/** Between the main thread and the reader worker. */
export type ToReaderWorker =
  | {
      readonly kind: 'query';
      readonly queryId: number;
      readonly name: QueryName;
      readonly params: unknown;
    }
  | { readonly kind: 'close' };

export type FromReaderWorker =
  | { readonly kind: 'answered'; readonly queryId: number; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly queryId: number;
      readonly code: RegistryErrorCode;
      readonly detail: string;
      readonly fix: string;
    };

export interface ReaderWorkerData {
  readonly registryFile: string;
}
