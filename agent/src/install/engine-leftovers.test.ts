import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type {
  ContainerEngineFlavour,
  ContainerEngineProbe,
  ContainerState,
  ContainerSummary,
} from '../containers/container-engine.js';
import { ContainerEngineError } from '../containers/container-engine-error.js';
import { engineLeftovers, ownEngineLeftovers } from './engine-leftovers.js';

const AWAY: ContainerEngineProbe = {
  ...{ reachable: false, code: 'engine_unreachable' },
  ...{ detail: 'No container engine answers.', fix: 'Install one.' },
};
const thereAs = (flavour: ContainerEngineFlavour): ContainerEngineProbe => ({
  reachable: true,
  info: {
    ...{ flavour, version: '5.0', apiVersion: '1.41', rootless: false, desktop: false },
    ...{ storagePath: null, endpoint: '/run/engine.sock' },
  },
});

const container = (name: string, state: ContainerState, isOurs = true): ContainerSummary => ({
  ...{ id: `${name}-id`, name, state, image: 'i', createdAtMs: 0 },
  labels: isOurs ? { 'io.ai-fabric.deployment': name } : {},
});

interface Engine {
  readonly probe?: ContainerEngineProbe;
  readonly containers?: readonly ContainerSummary[] | Error;
  readonly volumes?: readonly string[];
}

/** What is told of an engine, and how often it was closed. @param storage of one that is the agent's own */
async function look(
  { probe = thereAs('podman'), containers = [], volumes = [] }: Engine,
  storage: string | null = null,
) {
  let closed = 0;
  const engine = {
    probe: async () => probe,
    list: async () => {
      if (containers instanceof Error) throw containers;
      return containers;
    },
    listVolumes: async () => volumes.map((name) => ({ name, labels: {} })),
    close: async () => {
      closed += 1;
    },
  };
  const log = pino({ level: 'silent' });
  const told =
    storage === null ? await engineLeftovers(engine, log) : await ownEngineLeftovers(engine, storage, log);
  expect(closed).toBe(1);
  return told;
}

describe('what stays in a container engine', () => {
  it('is nothing where it is away, does not answer, or holds what is not the agent’s', async () => {
    expect(await look({ probe: AWAY, containers: [container('a', 'exited')] })).toEqual([]);
    expect(await look({ containers: new ContainerEngineError('unreachable', 'It is away.') })).toEqual([]);
    expect(await look({ containers: [container('a', 'running', false)], volumes: ['theirs'] })).toEqual([]);
  });

  it.each(['created', 'exited', 'dead'] as const)('is a container that has ended: %s', async (state) => {
    expect(await look({ containers: [container('a', state)] })).toEqual([
      '1 container, stopped: podman rm a',
    ]);
  });

  it('is also what a killed agent looked into its models with', async () => {
    const left = { ...container('ai-fabric-look-1', 'created'), labels: { 'io.ai-fabric.helper': 'look' } };
    expect(await look({ containers: [left] })).toEqual(['1 container, stopped: podman rm ai-fabric-look-1']);
  });

  it.each([
    ['running', 'running'],
    ['restarting', 'running'],
    ['paused', 'paused'],
    ['removing', 'being removed'],
    ['unknown', 'in a state that is not known'],
  ] as const)('is one that has not, with what ends it too: %s', async (state, word) => {
    expect(await look({ containers: [container('a', state)] })).toEqual([
      `1 container, ${word}: podman rm --force a`,
    ]);
  });

  it('is told by state, with the volumes last and the engine’s own tool', async () => {
    const containers = [
      container('a', 'exited'),
      container('b', 'running'),
      container('c', 'dead'),
      container('d', 'running', false),
    ];
    const volumes = ['ai-fabric-models', 'theirs'];
    expect(await look({ probe: thereAs('docker'), containers, volumes })).toEqual([
      '1 container, running: docker rm --force b',
      '2 containers, stopped: docker rm a c',
      '1 volume with models: docker volume rm ai-fabric-models',
    ]);
  });
});

describe('what stays in an engine that is the agent’s own', () => {
  const storage = '/var/lib/agent/containers';

  it('is told as a whole, and as stopped: it ends with the agent', async () => {
    const containers = [container('a', 'running'), container('b', 'exited', false)];
    expect(await look({ containers, volumes: ['ai-fabric-models', 'theirs'] }, storage)).toEqual([
      'of the agent’s own Podman, 1 container, stopped, 1 volume with models, and images: sudo rm -r /var/lib/agent/containers',
    ]);
  });

  it.each([{ probe: AWAY }, { containers: new ContainerEngineError('unreachable', 'It is away.') }, {}])(
    'is told where nobody knows what it is',
    async (engine) => {
      expect(await look(engine, storage)).toEqual([
        'of the agent’s own Podman, what it holds, models too: sudo rm -r /var/lib/agent/containers',
      ]);
    },
  );
});
