import type { PortHolder, Refusal, ServiceFacts } from './service-facts.js';
import { readVariables } from './variables.js';

const DEFAULT_PORT = 8000;
const DEFAULT_TLS_PORT = 8443;

export interface ServicePorts {
  readonly port: number;
  readonly tlsPort: number;
  /** Addresses to listen on; empty: all. */
  readonly hosts: readonly string[];
}

/** Where the service listens with a file of variables; what cannot be read counts as its default, the program refuses it. */
export function readPorts(text: string | null, changes: Readonly<Record<string, string>> = {}): ServicePorts {
  const variables = { ...readVariables(text ?? ''), ...changes };
  const port = (name: string, fallback: number): number => {
    const value = variables[name] ?? '';
    return /^\d{1,5}$/.test(value) ? Number(value) : fallback;
  };
  return {
    port: port('AI_FABRIC_PORT', DEFAULT_PORT),
    tlsPort: port('AI_FABRIC_TLS_PORT', DEFAULT_TLS_PORT),
    hosts: (variables['AI_FABRIC_HOST'] ?? '')
      .split(',')
      .map((each) => each.trim().replace(/^\[|\]$/g, ''))
      .filter((each) => each !== ''),
  };
}

/** Whether somebody else has a port that the service is to listen on. */
export function judgePorts(
  { holders, settingsThere }: Pick<ServiceFacts, 'holders' | 'settingsThere'>,
  changes: Readonly<Record<string, string>>,
): Refusal | null {
  const { port, tlsPort } = readPorts(settingsThere.variables, changes);
  const wanted = [
    { number: port, flag: '--port' },
    { number: tlsPort, flag: '--tls-port' },
  ];
  for (const { number, flag } of wanted) {
    const holder = holders.find((each) => each.port === number && number !== 0);
    if (holder === undefined) continue;
    const message = `port ${number} is taken by ${nameHolder(holder)}`;
    const isLitellm = /litellm/i.test(`${holder.program} ${holder.unit ?? ''}`);
    const takeOver = isLitellm ? ', or take it over with --replace-litellm' : '';
    return { code: 'port_taken', message, fix: `end it, choose another with ${flag}${takeOver}` };
  }
  return null;
}

/** `python3 (process 812, litellm.service)` */
export function nameHolder({ program, processId, unit }: PortHolder): string {
  return processId === 0 ? program : `${program} (process ${processId}${unit === null ? '' : `, ${unit}`})`;
}

/** The first port from `from` on that nobody listens on. */
export function freePort(from: number, holders: readonly PortHolder[], others: readonly number[]): number {
  const taken = new Set([...holders.map(({ port }) => port), ...others]);
  let port = from;
  while (taken.has(port)) port += 1;
  return port;
}
