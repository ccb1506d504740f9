/** Bounds of the gateway that no operator has to tune. Bytes and milliseconds. */
export const GATEWAY_LIMITS = {
  /** Targets that one request is sent to at most. */
  maxAttempts: 4,
  /** After the second 500 a request is thought to be the cause, and is not sent on to break a third engine. */
  maxInternalErrors: 2,
  /** Claims lost to other requests before the gateway calls the fleet full. */
  maxLostClaims: 8,
  /** A target that broke with a request in hand is given that request this often again. */
  maxBreaks: 1,
  /** A request that is held may ask a target that failed again after this, whether or not it was seen to come back. */
  retryFailedMs: 3_500,
  /** Rounds of looking for a target that are noted while a request is held; the rest of the log's are for what follows. */
  notedRounds: 5,
  /** A held stream is silent for so long, and its status still open; then a comment tells what it waits for … */
  heldSilenceMs: 15_000,
  /** … and again after each of these. */
  heldCommentEveryMs: 10_000,
  /** How soon a held stream that has had a comment is told that its wake has come further. */
  wakeLookMs: 1_000,
  /** Bodies up to this are checked to be JSON; of larger ones only the structure is followed. */
  checkedBytes: 256 * 1024,
  /** Bodies up to this are held in memory; larger ones go to the disk as they come. */
  memoryBodyBytes: 1024 * 1024,
  /** All request bodies that are held in memory at the same time. */
  heldBodyBytes: 512 * 1024 * 1024,
  /** An answer up to this is buffered whole, and so can still be asked elsewhere if it breaks off. */
  bufferedAnswerBytes: 4 * 1024 * 1024,
  /** One event of a stream. */
  eventBytes: 4 * 1024 * 1024,
  /** Responses of which it is known who answered them, the latest. */
  rememberedResponses: 10_000,
  /** Of an engine's error answer this much is read. */
  errorAnswerBytes: 64 * 1024,
  /** How long the rest of an error answer is waited for. */
  errorAnswerMs: 1_000,
  /** A client that does not read for this long is dropped. */
  clientStallMs: 60_000,
  /** How long a client that was answered early may go on sending its body. */
  lingerMs: 5_000,
  /** How long after `[DONE]` an engine may hold its stream open. */
  afterDoneMs: 2_000,
  /** The first byte of an answer that is not streamed comes behind its last token: each that may come is given this. */
  perTokenMs: 100,
  /** Of a turn of the event loop, what requests may take before the rest of them waits for the next one. */
  turnShareMs: 1,
  /** Resolution of every deadline. */
  tickMs: 100,
} as const;

/** Deadlines of a target that is asked for by its own name, not through a role: a role's defaults. */
export const DIRECT_TIMEOUTS = {
  firstByteTimeoutSeconds: 120,
  idleTimeoutSeconds: 120,
  totalTimeoutSeconds: 1_800,
} as const;
