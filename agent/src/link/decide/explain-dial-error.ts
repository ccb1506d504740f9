import type { LinkFailure } from '../link-failure.js';

/** Network errors by the operating system's code: what each means to the one who typed the address. */
const NO_TLS = 'it does not speak TLS 1.3. Is this the TLS port (8443), and not the plain one (8000)?';
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Is the control plane running, and is this its TLS port?',
  ENOTFOUND: 'no such name. Check the spelling, or use an address.',
  EAI_AGAIN: 'the name cannot be looked up right now. Is the network (or the tailnet) up?',
  ETIMEDOUT: 'no answer in time. Is the host on, and does a firewall let this port through?',
  EHOSTUNREACH: 'there is no route to it. Is the host on, and is the network up?',
  ENETUNREACH: 'this network cannot be reached from here. Is the network (or the tailnet) up?',
  ECONNRESET: 'it closed the connection at once. Is this its TLS port?',
};

/** Codes that say that somebody answered, but not as a control plane does. */
const ANSWERED = /^(?:EPROTO|ERR_SSL_|ERR_TLS_)/;

/** What a failed dial means. @param where the address as typed, for the message */
export function explainDialError(where: string, code: string): LinkFailure {
  const answered = ANSWERED.test(code);
  const meaning = MEANINGS[code] ?? (answered ? NO_TLS : 'the connection failed.');
  return { code: answered ? 'not_a_control_plane' : 'unreachable', detail: `${where}: ${meaning} (${code})` };
}

/** What a refused WebSocket upgrade means. */
export function explainHttpAnswer(where: string, status: number): LinkFailure {
  const meaning =
    status === 429 || status === 503
      ? 'the control plane takes no more links right now'
      : 'this is no control plane, or one that takes links elsewhere. Check the address and the port';
  return { code: 'not_a_control_plane', detail: `${where} answered HTTP ${status}: ${meaning}.` };
}
