import { REQUEST_CLASSES, type RequestClass } from '../../declared/request-class.js';
import { type GatewayError, gatewayError } from './error-table.js';

/** Of a request: how urgent it is. Of an answer: how urgent it was, where that is less than it asked to be. */
export const CLASS_HEADER = 'x-fabric-class';
const MAX_WAIT_HEADER = 'x-fabric-max-wait';
const LOCAL_ONLY_HEADER = 'x-fabric-local-only';
const SECONDS = /^\d{1,9}(\.\d{1,9})?$/;
/** Of what a client wrote this much is repeated to it. */
const TOLD_CHARS = 40;

/** What a client wishes for one request. */
export interface Wishes {
  /** `null`: as its role declares. */
  readonly requestClass: RequestClass | null;
  /** How long it may be held, in milliseconds; `null`: as its role declares. */
  readonly maxWaitMs: number | null;
  /** No provider may serve it. */
  readonly localOnly: boolean;
}

const NO_WISHES: Wishes = { requestClass: null, maxWaitMs: null, localOnly: false };

/**
 * `x-fabric-class`, `x-fabric-max-wait` and `x-fabric-local-only`; or what is wrong with them. What makes no sense is refused,
 * never passed over: a request that was to stay on our own hosts must not leave them for a misspelt word.
 */
export function readWishHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Wishes | { readonly error: GatewayError } {
  const askedClass = headers[CLASS_HEADER];
  const askedWait = headers[MAX_WAIT_HEADER];
  const askedLocal = headers[LOCAL_ONLY_HEADER];
  if (askedClass === undefined && askedWait === undefined && askedLocal === undefined) return NO_WISHES;
  const name = askedClass === undefined ? null : String(askedClass).trim().toLowerCase();
  const requestClass = REQUEST_CLASSES.find((each) => each === name) ?? null;
  if (name !== null && requestClass === null) {
    return { error: wrong(CLASS_HEADER, askedClass, `one of ${REQUEST_CLASSES.join(', ')}`) };
  }
  const seconds = askedWait === undefined ? null : String(askedWait).trim();
  if (seconds !== null && !SECONDS.test(seconds)) {
    return { error: wrong(MAX_WAIT_HEADER, askedWait, 'seconds, such as 20 or 0.5 (0: do not wait)') };
  }
  const local = askedLocal === undefined ? 'false' : String(askedLocal).trim().toLowerCase();
  if (local !== 'true' && local !== 'false') {
    return { error: wrong(LOCAL_ONLY_HEADER, askedLocal, 'true or false') };
  }
  const maxWaitMs = seconds === null ? null : Number(seconds) * 1000;
  return { requestClass, maxWaitMs, localOnly: local === 'true' };
}

function wrong(header: string, value: unknown, expected: string): GatewayError {
  const told = String(value);
  const short = told.length > TOLD_CHARS ? `${told.slice(0, TOLD_CHARS)}…` : told;
  return gatewayError('invalid_request', `The header ${header} is "${short}"; expected ${expected}.`);
}
