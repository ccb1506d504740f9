import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerDetails, ContainerSummary } from '../../../containers/container-engine.js';
import type { ContainerEngineErrorCode } from '../../../containers/container-engine-error.js';
import { containerIssueCodes } from './container-trouble.js';
import { judgeContainer } from './judge-container.js';
import { judgeInterruption } from './judge-interruption.js';
import { listOrphans } from './list-orphans.js';
import { addPhaseTime, isPhaseDone, type PhaseTimes, usualPhaseTime } from './phase-times.js';
import { planRestartDelay } from './plan-restart-delay.js';
import { readContainerError } from './read-container-error.js';
import { judgeGpuList } from './read-gpu-list.js';

const ours = {
  'io.ai-fabric.deployment': 'qwen',
  'io.ai-fabric.host': 'host-1',
  'io.ai-fabric.spec': 'spec-1',
};

function details(more: Partial<ContainerDetails> = {}): ContainerDetails {
  return {
    id: 'a'.repeat(64),
    name: 'ai-fabric-qwen',
    labels: ours,
    state: 'running',
    image: 'vllm/vllm-openai:v0.11.0',
    createdAtMs: 1,
    imageId: 'sha256:1',
    exitCode: null,
    oomKilled: false,
    stateError: '',
    startedAtMs: 2,
    finishedAtMs: null,
    ports: [{ hostAddress: '127.0.0.1', hostPort: 41_000, containerPort: 8_000 }],
    command: [],
    environmentNames: ['VLLM_API_KEY'],
    mounts: [],
    restartPolicy: 'no',
    networkMode: 'bridge',
    privileged: false,
    gpus: [],
    ...more,
  };
}

const claim = { deployment: 'qwen', hostId: 'host-1', adoptedId: null, adopt: null };
const declared = { image: 'vllm/vllm-openai:v0.11.0', specHash: 'spec-1', reach: 'tunnel' } as const;

describe('whose a container is', () => {
  test('ours is known by its label, its name and its host', () => {
    expect(judgeContainer(details(), claim, declared)).toMatchObject({
      kind: 'kept',
      adopted: false,
      specHash: 'spec-1',
      run: 'running',
      address: { host: '127.0.0.1', port: 41_000 },
      drift: [],
    });
  });

  test.each([
    ['without a label', details({ labels: {} })],
    ['with the label of another host', details({ labels: { ...ours, 'io.ai-fabric.host': 'host-2' } })],
    [
      'with the label of another deployment',
      details({ labels: { ...ours, 'io.ai-fabric.deployment': 'llama' } }),
    ],
  ])('one %s is foreign', (_, found) => {
    expect(judgeContainer(found, claim, declared).kind).toBe('foreign');
  });

  test('one that is being removed is none', () => {
    expect(judgeContainer(details({ state: 'removing' }), claim, declared).kind).toBe('none');
    expect(judgeContainer(null, claim, declared).kind).toBe('none');
  });

  test.each([
    ['created', 'created'],
    ['restarting', 'running'],
    ['paused', 'paused'],
    ['exited', 'ended'],
    ['dead', 'ended'],
    ['unknown', 'ended'],
  ] as const)('%s is %s', (state, run) => {
    expect(judgeContainer(details({ state }), claim, declared)).toMatchObject({ run });
  });
});

describe('a container that is to be adopted', () => {
  const adopting = { ...claim, adopt: 'vllm-armitage' };
  const found = details({
    name: 'vllm-armitage',
    labels: {},
    environmentNames: ['HF_TOKEN'],
    restartPolicy: 'unless-stopped',
    image: 'vllm/vllm-openai:latest',
    ports: [{ hostAddress: '0.0.0.0', hostPort: 8_000, containerPort: 8_000 }],
  });

  test('is kept only after it was, and by its id', () => {
    expect(judgeContainer(found, adopting, declared).kind).toBe('adoptable');
    expect(judgeContainer(found, { ...adopting, adoptedId: 'b'.repeat(64) }, declared).kind).toBe(
      'adoptable',
    );
    expect(judgeContainer(found, { ...adopting, adoptedId: found.id }, declared)).toMatchObject({
      kind: 'kept',
      adopted: true,
      address: { host: '127.0.0.1', port: 8_000 },
    });
  });

  test('shows a missing key, a wide binding and a missing label as drift', () => {
    const seen = judgeContainer(found, { ...adopting, adoptedId: found.id }, declared);
    expect(seen.kind === 'kept' && seen.drift).toEqual([
      expect.stringContaining('no key'),
      expect.stringContaining('0.0.0.0:8000'),
      expect.stringContaining('no label'),
      expect.stringContaining('vllm/vllm-openai:latest'),
      expect.stringContaining('unless-stopped'),
    ]);
  });

  test('is refused where it is the container of another deployment', () => {
    const labelled = details({ name: 'vllm-armitage' });
    expect(judgeContainer(labelled, adopting, declared).kind).toBe('foreign');
  });
});

describe('orphans', () => {
  const summary = (name: string, labels: Record<string, string>): ContainerSummary => {
    return { id: 'c'.repeat(64), name, labels, state: 'exited', image: 'x:1', createdAtMs: 1 };
  };

  test('are containers of this host that nothing declares, and no forged ones', () => {
    const containers = [
      summary('ai-fabric-qwen', ours),
      summary('ai-fabric-old', { ...ours, 'io.ai-fabric.deployment': 'old' }),
      summary('postgres', { ...ours, 'io.ai-fabric.deployment': 'old' }),
      summary('ai-fabric-other', { 'io.ai-fabric.deployment': 'other', 'io.ai-fabric.host': 'host-2' }),
      summary('nginx', {}),
    ];
    expect(listOrphans(containers, 'host-1', (deployment) => deployment === 'qwen')).toEqual([
      { containerId: 'c'.repeat(64), name: 'ai-fabric-old', deployment: 'old' },
    ]);
  });

  test('are no more than a report holds', () => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      summary(`ai-fabric-d${at}`, { ...ours, 'io.ai-fabric.deployment': `d${at}` }),
    );
    expect(listOrphans(many, 'host-1', () => false)).toHaveLength(64);
  });
});

describe('what nvidia-smi -L prints inside', () => {
  const uuid = 'GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11';
  const line = `GPU 0: NVIDIA GeForce RTX 4070 (UUID: ${uuid})\n`;
  test.each([
    ['the card that was asked for', 0, line, [uuid], null],
    ['it in capitals', 0, line.toUpperCase(), [uuid], null],
    ['any card where the owner chose', 0, line, null, null],
    ['another card', 0, line.replace('5f1d', '0000'), [uuid], 'and not'],
    ['no card', 0, 'No devices found', [uuid], 'lists no card'],
    ['nothing', 0, '', [uuid], 'lists no card'],
    ['that NVML is lost', 255, 'Failed to initialize NVML: Unknown Error', [uuid], 'Unknown Error'],
    ['that it is not there', 127, '', [uuid], 'ended with 127'],
  ])('%s', (_, exitCode, output, wanted, problem) => {
    const found = judgeGpuList({ exitCode, output }, wanted);
    if (problem === null) expect(found).toBeNull();
    else expect(found).toContain(problem);
  });
});

describe('a refusal of the container engine', () => {
  test.each([
    ['pull', 'image_not_found', 'image_not_found'],
    ['pull', 'unauthorized', 'pull_failed'],
    ['pull', 'registry_unreachable', 'pull_failed'],
    ['pull', 'engine_failed', 'pull_failed'],
    ['pull', 'disk_full', 'disk_full'],
    ['create', 'port_in_use', 'port_in_use'],
    ['create', 'gpu_unavailable', 'gpu_not_in_container'],
    ['start', 'cdi_spec_missing', 'cdi_spec_missing'],
    ['start', 'cdi_spec_stale', 'cdi_spec_stale'],
    ['start', 'driver_too_old', 'driver_too_old'],
    ['start', 'driver_mismatch', 'driver_mismatch'],
    ['start', 'engine_failed', 'engine_crashed'],
    ['inspect', 'timeout', 'engine_unreachable'],
    ['inspect', 'unreachable', 'engine_unreachable'],
  ] as const)('of a step %s with %s is %s', (step, code, issue) => {
    const told = readContainerError(step, { code: code as ContainerEngineErrorCode, detail: 'said' });
    expect(told.code).toBe(issue);
    expect(told.fix.length).toBeGreaterThan(10);
  });

  test('without a code is read from its words', () => {
    const detail = 'OCI runtime error: could not select device driver "" with capabilities: [[gpu]]';
    expect(readContainerError('start', { code: 'engine_failed', detail }).code).toBe('gpu_not_in_container');
  });

  test('has a code of ours, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), (detail) => {
        const { code } = readContainerError('start', { code: 'engine_failed', detail });
        expect(containerIssueCodes).toContain(code);
      }),
    );
  });
});

describe('the wait before the next try', () => {
  test('grows from one second to five minutes, half of it by chance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, lot) => {
          const delayMs = planRestartDelay(failures, lot);
          const most = Math.min(300_000, 1_000 * 2 ** Math.min(failures - 1, 20));
          expect(delayMs).toBeGreaterThanOrEqual(most / 2);
          expect(delayMs).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('the times of phases', () => {
  test('are bounded, and told as quantiles', () => {
    let times: PhaseTimes = {};
    for (let seconds = 1; seconds <= 1_000; seconds += 1) times = addPhaseTime(times, 'loading', seconds);
    expect(times.loading).toHaveLength(16);
    expect(usualPhaseTime(times, 'loading')).toEqual({ p50: 992, p95: 1_000 });
    expect(usualPhaseTime(times, 'pulling')).toBeNull();
  });

  test('count only where a phase led on', () => {
    expect(isPhaseDone('loading', 'warming')).toBe(true);
    expect(isPhaseDone('pulling', 'creating')).toBe(true);
    expect(isPhaseDone('loading', 'failed')).toBe(false);
    expect(isPhaseDone('warming', 'loading')).toBe(false);
  });
});

describe('a step that is under way', () => {
  test('is never left where it changes a container', () => {
    for (const step of ['create', 'start', 'stop', 'remove', 'park', 'unpark', 'adopt'] as const) {
      for (const by of ['heard', 'died', 'declared'] as const)
        expect(judgeInterruption(step, by)).toBe(false);
    }
  });

  test('is left where it waits, looks or pulls what is not wanted any more', () => {
    expect(judgeInterruption('wait_until', 'heard')).toBe(true);
    expect(judgeInterruption('prove', 'died')).toBe(true);
    expect(judgeInterruption('check_health', 'heard')).toBe(false);
    expect(judgeInterruption('pull', 'declared')).toBe(true);
    expect(judgeInterruption('pull', 'died')).toBe(false);
    expect(judgeInterruption('drain', 'declared')).toBe(true);
  });
});
