import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import type { Clock, NetworkInterface } from '@ai-fabric/shared';
import { parseWindowsGateway } from './decide/parse-windows-gateway.js';
import {
  type GatewayMacs,
  type InterfaceAddress,
  type InterfaceFacts,
  selectInterfaces,
} from './decide/select-interfaces.js';
import { readLinuxGatewayMacs, readLinuxInterfaceFacts } from './linux-interfaces.js';
import { readInterfaceKinds } from './system-facts.js';

type Addresses = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

export interface NetworkInterfacesOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
}

const TOOL_TIMEOUT_MS = 5_000;

/** Reads the physical interfaces; for the slow lane. What cannot be learnt is `null` or "unknown". */
export function networkInterfaceReader(options: NetworkInterfacesOptions): () => Promise<NetworkInterface[]> {
  const kinds = rememberedKinds(options.clock);
  return async () => {
    const addresses: Addresses = networkInterfaces();
    if (options.platform === 'linux') {
      const [facts, gateways] = await Promise.all([readLinuxInterfaceFacts(), readLinuxGatewayMacs()]);
      return selectInterfaces(addresses, facts, gateways);
    }
    const [facts, gateways] = await Promise.all([kinds(addresses), readOtherGateways(options, addresses)]);
    return selectInterfaces(addresses, facts, gateways);
  };
}

/** The kinds cost a PowerShell, so they are asked for again only when the set of interfaces changes. */
function rememberedKinds(
  clock: Clock,
): (addresses: Addresses) => Promise<ReadonlyMap<string, InterfaceFacts>> {
  let names = '';
  let facts: ReadonlyMap<string, InterfaceFacts> = new Map();
  return async (addresses) => {
    const now = Object.keys(addresses).sort().join('\n');
    if (now !== names) {
      const kinds = await readInterfaceKinds(clock);
      facts = new Map([...kinds].map(([name, kind]) => [name, { kind, hasDevice: null, mac: null }]));
      names = now;
    }
    return facts;
  };
}

async function readOtherGateways(
  options: NetworkInterfacesOptions,
  addresses: Addresses,
): Promise<GatewayMacs> {
  if (options.platform !== 'win32') return new Map();
  const folder = `${options.windowsDirectory}\\System32`;
  const [route, arp] = await Promise.all([
    runTool(`${folder}\\route.exe`, ['print', '-4']),
    runTool(`${folder}\\arp.exe`, ['-a']),
  ]);
  return parseWindowsGateway(route, arp, addresses);
}

/** What a tool of the system printed, or nothing: then the gateway is unknown. */
function runTool(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: TOOL_TIMEOUT_MS, windowsHide: true, encoding: 'latin1' as const };
    execFile(file, [...args], options, (error, stdout) => resolve(error ? '' : stdout));
  });
}
