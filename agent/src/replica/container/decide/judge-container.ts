import type { ContainerDetails } from '../../../containers/container-engine.js';
import type { Seen } from './container-state.js';
import { type Declared, describeDrift } from './describe-drift.js';

/** Labels that identify what is ours. A label is a claim: name and host must agree with it. */
export const labelNames = {
  deployment: 'io.ai-fabric.deployment',
  spec: 'io.ai-fabric.spec',
  host: 'io.ai-fabric.host',
  containerPort: 'io.ai-fabric.container-port',
  offline: 'io.ai-fabric.offline',
} as const;

export const ENGINE_PORT = 8_000;

export function containerName(deployment: string): string {
  return `ai-fabric-${deployment}`;
}

/** Whose container this is, for one deployment of one host. */
export interface Claim {
  readonly deployment: string;
  readonly hostId: string;
  /** Of the container that was adopted. */
  readonly adoptedId: string | null;
  /** The name of the container that is to be adopted. */
  readonly adopt: string | null;
}

/** What a container is to a deployment. `null`: there is none. */
export function judgeContainer(details: ContainerDetails | null, claim: Claim, declared: Declared): Seen {
  if (details === null || details.state === 'removing') return { kind: 'none' };
  const { id, name } = details;
  if (claim.adopt !== null) {
    if (isLabelled(details)) return { kind: 'foreign', id, name };
    if (id !== claim.adoptedId) return { kind: 'adoptable', id, name };
    return kept(details, true, declared);
  }
  return isOurs(details, claim) ? kept(details, false, declared) : { kind: 'foreign', id, name };
}

/** Made by this agent for this deployment: label, name and host agree. */
function isOurs(
  { name, labels }: Pick<ContainerDetails, 'name' | 'labels'>,
  { deployment, hostId }: Pick<Claim, 'deployment' | 'hostId'>,
): boolean {
  return (
    name === containerName(deployment) &&
    labels[labelNames.deployment] === deployment &&
    labels[labelNames.host] === hostId
  );
}

function isLabelled({ labels }: ContainerDetails): boolean {
  return labels[labelNames.deployment] !== undefined;
}

function kept(details: ContainerDetails, adopted: boolean, declared: Declared): Seen {
  const { id, name, image, labels, exitCode, oomKilled, startedAtMs } = details;
  return {
    kind: 'kept',
    ...{ id, name, image, adopted, exitCode, oomKilled, startedAtMs },
    specHash: labels[labelNames.spec] ?? null,
    offline: OFFLINE[labels[labelNames.offline] ?? ''] ?? null,
    run: runOf(details),
    address: addressOf(details),
    drift: describeDrift(details, adopted, declared),
    standsIn: null,
  };
}

const OFFLINE: Readonly<Record<string, boolean>> = { true: true, false: false };

/**
 * Whether a container was made from this declaration, if under other limits of the host's owner: those stand behind a
 * dot in the hash.
 */
export function isOfDeclaration(madeFrom: string | null, specHash: string): boolean {
  return madeFrom !== null && madeFrom.split('.')[0] === specHash.split('.')[0];
}

function runOf({ state }: ContainerDetails): 'created' | 'running' | 'paused' | 'ended' {
  if (state === 'running' || state === 'created' || state === 'paused') return state;
  // Somebody else's restart policy is at work on it.
  return state === 'restarting' ? 'running' : 'ended';
}

/** Where this host reaches the engine: a published port, on loopback where it is open to all. */
function addressOf({ ports, labels }: ContainerDetails): { host: string; port: number } | null {
  const inside = Number(labels[labelNames.containerPort] ?? ENGINE_PORT);
  const port =
    ports.find(({ containerPort }) => containerPort === inside) ??
    (ports.length === 1 ? ports[0] : undefined);
  if (port === undefined) return null;
  return { host: isOpenToAll(port.hostAddress) ? '127.0.0.1' : port.hostAddress, port: port.hostPort };
}

function isOpenToAll(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::';
}
