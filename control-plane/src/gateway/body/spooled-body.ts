import type { PeekedRequest } from '../decide/peek-request.js';
import type { ScannedBody } from './body-scan.js';
import { type BodySource, SplicedSource } from './body-source.js';
import type { SpoolFile } from './spool-file.js';

/** A whole body on the disk, and what was read of it as it came. */
export class SpooledBody {
  readonly #file: SpoolFile;
  readonly #from: number;
  readonly #scanned: ScannedBody;

  /** @param from of the file, where the body begins */
  constructor(file: SpoolFile, from: number, scanned: ScannedBody) {
    this.#file = file;
    this.#from = from;
    this.#scanned = scanned;
  }

  get request(): PeekedRequest {
    return this.#scanned.request;
  }

  /** As it came, in bytes. */
  get receivedBytes(): number {
    return this.#file.length;
  }

  /** For a target that calls the model so. */
  sourceFor(servedModel: string): BodySource {
    const splices = this.#scanned.planRewrite(servedModel);
    return new SplicedSource(this.#file, this.#from, this.#file.length, splices);
  }
}

/** A whole request body: in memory, or on the disk. */
export type RequestBody = Buffer | SpooledBody;
