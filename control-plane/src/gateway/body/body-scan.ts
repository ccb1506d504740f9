import type { GatewayError } from '../decide/error-table.js';
import type { PeekedRequest } from '../decide/peek-request.js';
import type { Splice } from '../decide/rewrite-body.js';

/** Reads from a body what the gateway needs to know, while it comes by. */
export interface BodyScan {
  /**
   * @param chunk is its owner's again afterwards
   * @returns what is wrong with the body, as soon as that is known
   */
  push(chunk: Uint8Array): GatewayError | null;
  end(): ScannedBody | GatewayError;
}

export interface ScannedBody {
  readonly request: PeekedRequest;
  /** What to change for a target that calls the model so, in the order of the bytes. */
  planRewrite(servedModel: string): readonly Splice[];
}
