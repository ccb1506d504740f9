import type { Command, MagicPacketOrder } from '@ai-fabric/shared';
import type { PacketPaths } from './decide/find-paths.js';
import type { PacketSender, PacketsSent } from './magic-packet-sender.js';

/** What a relay said of the order. */
interface CommandEnd {
  readonly result: 'done' | 'failed' | 'refused' | 'expired';
  readonly code: string | null;
  readonly detail: string | null;
}

export interface VolleyParts {
  readonly sender: PacketSender;
  /** Sends a command to a host; `null`: it has no link. */
  readonly ask: (host: string, command: Command, ttlMs: number) => Promise<CommandEnd> | null;
  readonly ports: readonly number[];
}

export interface VolleyTarget {
  readonly wakeId: string;
  readonly macs: readonly string[];
  /** Without prefix. */
  readonly addresses: readonly string[];
  readonly paths: PacketPaths;
}

const RELAYS_AT_ONCE = 2;
const MOST_RELAYS = 6;
/** A relay that has not sent by then has failed. */
const RELAY_TTL_MS = 4_000;
const MOST_MACS = 8;

/**
 * Sends one volley by every path: from this machine, and through two awake neighbours, each of which is replaced by another
 * where it fails.
 *
 * @param onOut called as soon as one path has sent
 * @returns what came of all; it does not reject
 */
export async function sendVolley(
  { sender, ask, ports }: VolleyParts,
  target: VolleyTarget,
  onOut: () => void,
): Promise<PacketsSent> {
  const { wakeId, paths } = target;
  const macs = target.macs.slice(0, MOST_MACS);
  const addresses = target.addresses.slice(0, MOST_MACS);
  let isOut = false;
  const out = () => {
    if (!isOut) onOut();
    isOut = true;
  };
  const own = async (): Promise<readonly string[]> => {
    if (paths.own.length === 0) return [];
    const sent = await sender.send({ macs, addresses, own: paths.own });
    if (sent.isOut) out();
    return sent.notes;
  };
  const waiting = paths.relays.slice(0, MOST_RELAYS);
  const relay = async (): Promise<readonly string[]> => {
    const notes: string[] = [];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const order = { wakeId, macs, gatewayMac: next.gatewayMac, addresses, ports: [...ports] };
      const note = await askRelay(ask, next.host, order);
      if (note === null) {
        out();
        return notes;
      }
      notes.push(note);
    }
    return notes;
  };
  const told = await Promise.all([own(), ...Array.from({ length: RELAYS_AT_ONCE }, relay)]);
  return { isOut, notes: told.flat() };
}

/** @returns `null`: it has sent; else why not, in words */
async function askRelay(
  ask: VolleyParts['ask'],
  host: string,
  order: MagicPacketOrder,
): Promise<string | null> {
  const asked = ask(host, { name: 'send_magic_packets', order }, RELAY_TTL_MS);
  if (asked === null) return `relay ${host}: it has no link now`;
  const { result, code, detail } = await asked;
  return result === 'done' ? null : `relay ${host}: ${detail ?? code ?? result}`;
}
