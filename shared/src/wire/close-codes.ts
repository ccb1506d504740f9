import type { GoodbyeReason } from './frames.js';

/** WebSocket close code of each reason: 4000–4999 is the range that RFC 6455 leaves to applications. */
export const closeCodes: Readonly<Record<GoodbyeReason, number>> = {
  service_stop: 1001,
  restart: 4000,
  shutdown: 4001,
  suspend: 4002,
  joined: 4003,
  superseded: 4010,
  slow_consumer: 4011,
  hello_timeout: 4012,
  heartbeat_lost: 4013,
  rate_limited: 4014,
  unavailable: 4015,
  protocol_error: 4020,
  protocol_too_old: 4021,
  proof_failed: 4030,
  unknown_host: 4031,
  revoked: 4032,
  token_unknown: 4033,
  token_used: 4034,
  token_expired: 4035,
  identity_in_use: 4036,
  machine_mismatch: 4037,
  name_taken: 4038,
};

const reasonsByCode = new Map<number, GoodbyeReason>(
  Object.entries(closeCodes).map(([reason, code]) => [code, reason as GoodbyeReason]),
);

/** The reason behind a close code, or `undefined` for one that is not ours. */
export function reasonOfCloseCode(code: number): GoodbyeReason | undefined {
  return reasonsByCode.get(code);
}

const permanent: ReadonlySet<GoodbyeReason> = new Set([
  'protocol_too_old',
  'proof_failed',
  'unknown_host',
  'revoked',
  'token_unknown',
  'token_used',
  'token_expired',
  'machine_mismatch',
  'name_taken',
]);

/** True where trying again soon cannot help and an operator must act: the agent then retries once a minute. */
export function needsOperator(reason: GoodbyeReason): boolean {
  return permanent.has(reason);
}
