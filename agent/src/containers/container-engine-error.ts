/**
 * What went wrong with the container engine, told by what can be done about it.
 *
 * - `unreachable`: it is not there, or broke off; it may come back
 * - `timeout`: it was there and did not answer in time
 * - `aborted`: the caller's signal ended the call
 * - `not_found`: no such container, exec or volume
 * - `conflict`: the container is in a state that forbids it
 * - `image_not_found`: the registry, or this machine, has no such image
 * - `unauthorized`: the registry wants (other) credentials; many say so of an image that does not exist
 * - `registry_unreachable`: name, network or certificate of the registry
 * - `pull_failed`: a pull ended for another reason
 * - `gpu_unavailable`: the engine cannot give this card to a container
 * - `cdi_spec_stale`: a CDI spec is there, and knows not this card or names files that an update took away
 * - `bad_request`: it refuses what we asked for
 * - `engine_failed`: all else
 */
export type ContainerEngineErrorCode =
  | 'unreachable'
  | 'timeout'
  | 'aborted'
  | 'not_found'
  | 'conflict'
  | 'image_not_found'
  | 'unauthorized'
  | 'registry_unreachable'
  | 'pull_failed'
  | 'disk_full'
  | 'port_in_use'
  | 'name_taken'
  | 'gpu_unavailable'
  | 'cdi_spec_missing'
  | 'cdi_spec_stale'
  | 'driver_too_old'
  | 'driver_mismatch'
  | 'bad_request'
  | 'engine_failed';

/** Why a call of the container engine came to nothing. The message is for an operator and holds no secret. */
export class ContainerEngineError extends Error {
  override readonly name = 'ContainerEngineError';
  readonly code: ContainerEngineErrorCode;
  /** What the engine said, shortened. */
  readonly detail: string;
  /** The HTTP status; `null` where no answer came. An error inside a stream has that of the stream. */
  readonly status: number | null;

  constructor(code: ContainerEngineErrorCode, detail: string, status: number | null = null) {
    super(detail);
    this.code = code;
    this.detail = detail;
    this.status = status;
  }
}
