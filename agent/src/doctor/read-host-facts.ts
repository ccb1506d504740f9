import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.js';
import { cdiSpecs } from '../containers/cdi-specs.js';
import { openContainerEngine } from '../containers/open-container-engine.js';
import { DamagedStateError, readAgentState } from '../identity/agent-state.js';
import { privateFiles } from '../identity/private-files.js';
import { reportEngine } from '../replica/container/decide/report-engine.js';
import { openSensors } from '../sensors/open-sensors.js';
import { issuesOf } from '../sensors/sensor.js';
import type { AgentStatus } from '../status/agent-status.js';
import { askStatus } from '../status/status-socket.js';
import type { AgentFacts, HostFacts } from './host-checks.js';

export interface ReadHostFactsOptions {
  readonly config: AgentConfig;
  /** Where no agent answers, this machine is looked at, which takes seconds. */
  readonly looksItself: boolean;
  readonly readService: () => Promise<HostFacts['service']>;
  readonly readWindows: () => Promise<HostFacts['windows']>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

type Seen = Pick<
  HostFacts,
  'cards' | 'areCardsRead' | 'issues' | 'containerEngine' | 'engineFix' | 'wake' | 'replicas'
>;

const LOOK_MS = 60_000;
/** An agent that is about to start will tell. */
const NOTHING_YET: Seen = {
  ...{ cards: [], areCardsRead: false, issues: [], containerEngine: null, engineFix: null, wake: null },
  replicas: [],
};
/** Who does not answer here may be in the middle of something: what there is to see is seen all the same. */
const NOTHING: Seen = {
  ...{ cards: [], areCardsRead: true, issues: [], containerEngine: null, engineFix: null, wake: null },
  replicas: [],
};

/** What is known of this host: as its agent tells, or by a look of our own where none runs. The control plane is not asked. */
export async function readHostFacts(options: ReadHostFactsOptions): Promise<HostFacts> {
  const { config, readService, readWindows, looksItself, clock } = options;
  const { stateDirectory, platform } = config;
  const answer = await askStatus(stateDirectory, platform).catch((error: unknown) => textOf(error));
  const [agent, seen]: readonly [AgentFacts, Seen] =
    answer === null
      ? await Promise.all([readJoined(config), looksItself ? lookOurselves(options) : NOTHING_YET])
      : typeof answer === 'string'
        ? [{ kind: 'silent', problem: answer }, NOTHING]
        : [asTold(answer), seenByAgent(answer)];
  return {
    ...{ platform, agent, ...seen },
    nowMs: clock.nowMs(),
    service: await readService(),
    windows: await readWindows(),
    cdi: await readCdi(seen.cards.map(({ uuid }) => uuid)),
  };
}

function asTold({ link, server, hostName, startedAtMs }: AgentStatus): AgentFacts {
  return { kind: 'runs', link, server, hostName, startedAtMs };
}

function seenByAgent(status: AgentStatus): Seen {
  const { cards, cardsAsked, issues, containerEngine, wake, replicas } = status;
  return { cards, areCardsRead: cardsAsked, issues, containerEngine, engineFix: null, wake, replicas };
}

async function readJoined(config: AgentConfig): Promise<AgentFacts> {
  const { platform, folders } = config;
  const files = privateFiles({ platform, windowsDirectory: folders.windows });
  try {
    const joined = await readAgentState(config, files);
    if (joined === null) return { kind: 'not_joined' };
    return { kind: 'stopped', server: joined.serverUrl, hostName: joined.hostName };
  } catch (error) {
    if (error instanceof DamagedStateError) {
      return { kind: 'damaged', problem: error.detail, fix: error.fix };
    }
    return { kind: 'silent', problem: textOf(error) };
  }
}

async function lookOurselves({ config, clock, random, log }: ReadHostFactsOptions): Promise<Seen> {
  const { platform, containerEnginePath, runtimeDirectory } = config;
  const signal = AbortSignal.timeout(LOOK_MS);
  const sensors = openSensors(config, { clock, random, logger: log });
  const endpoints = containerEnginePath === null ? {} : { endpoints: [containerEnginePath] };
  const engine = openContainerEngine({ ...endpoints, runtimeDirectory, platform, clock, log });
  try {
    const [cards, host, probe] = await Promise.all([
      sensors.gpuInventory.read(signal),
      sensors.hostInventory.read(signal),
      engine.probe(signal),
    ]);
    const interfaces = host.ok ? host.reading.interfaces : [];
    return {
      cards: cards.ok ? cards.reading.map(({ uuid, name }) => ({ uuid, name })) : [],
      areCardsRead: true,
      issues: [...issuesOf(cards), ...issuesOf(host)],
      containerEngine: reportEngine(probe),
      engineFix: probe.reachable ? null : probe.fix,
      wake: interfaces.flatMap(({ name, kind, wake }) =>
        wake === undefined ? [] : [{ name, wired: kind !== 'wireless', arming: wake }],
      ),
      replicas: [],
    };
  } finally {
    await Promise.all([sensors.close(), engine.close()]);
  }
}

async function readCdi(uuids: readonly string[]): Promise<HostFacts['cdi']> {
  const specs = cdiSpecs();
  const states = await Promise.all(uuids.map((uuid) => specs.state(uuid)));
  if (states.includes('no_spec')) return 'no_spec';
  return states.includes('unknown_device') ? 'unknown_device' : 'known_device';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
