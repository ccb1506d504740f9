import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { ContainerSpec, ContainerSummary, LogLine } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { HelperContainers } from './helper-containers.js';

/** An engine that makes a container for whoever asked, whether he waits for it or not. */
class FakeEngine {
  containers: ContainerSummary[] = [];
  /** Until these resolve, a container is not made, or not removed. */
  making: Promise<void> = Promise.resolve();
  listing: () => Promise<void> = () => Promise.resolve();
  output: readonly string[] = [];
  readonly started: string[] = [];
  /** A container that the engine cannot remove. */
  stuck: string | null = null;

  list = async (): Promise<readonly ContainerSummary[]> => {
    const { containers } = this;
    await this.listing();
    return containers;
  };
  ensureVolume = async () => undefined;
  create = async ({ name, labels }: ContainerSpec, signal: AbortSignal) => {
    const gone = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new ContainerEngineError('aborted', 'gone')));
    });
    const made = this.making.then(() => {
      this.containers = [...this.containers, left(name, labels)];
      return { id: name };
    });
    return Promise.race([made, gone]);
  };
  start = async (id: string) => {
    this.started.push(id);
  };
  remove = async (id: string) => {
    if (id === this.stuck) throw new ContainerEngineError('engine_failed', 'It is stuck.');
    this.containers = this.containers.filter((container) => container.id !== id);
  };
  async *logs(_id: string, _options: object, signal: AbortSignal): AsyncIterable<LogLine> {
    for (const text of this.output) yield { atMs: null, stream: 'stdout', text };
    signal.throwIfAborted();
  }
}

const OURS = { 'io.ai-fabric.helper': 'look', 'io.ai-fabric.host': 'h' };
const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const helper = { kind: 'look', image: 'vllm/vllm-openai:v1', script: 'x', args: [], environment: {} };

function left(name: string, labels: Readonly<Record<string, string>>): ContainerSummary {
  return { id: name, name, labels, state: 'exited', image: 'x' } as ContainerSummary;
}

function stage(containers: readonly ContainerSummary[] = []) {
  const engine = new FakeEngine();
  engine.containers = [...containers];
  const helpers = new HelperContainers({ engine, hostId: 'h', log });
  const names = (): string[] => engine.containers.map(({ name }) => name);
  return { engine, helpers, names };
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const line of lines) list.push(line);
  return list;
}

describe('a one-off container', () => {
  test('is removed when it ended, and when whoever reads it leaves', async () => {
    const { engine, helpers, names } = stage();
    engine.output = ['one', 'two'];
    expect(await all(helpers.run(helper, never))).toEqual(['one', 'two']);
    expect(names()).toEqual([]);
    for await (const line of helpers.run(helper, never)) {
      expect(line).toBe('one');
      expect(names()).toEqual([expect.stringMatching(/^ai-fabric-look-[0-9a-f]{8}$/)]);
      break;
    }
    expect(names()).toEqual([]);
  });

  test('that nobody waits for any longer while it is made is removed, and not started', async () => {
    const { engine, helpers, names } = stage();
    let made = (): void => undefined;
    engine.making = new Promise((resolve) => {
      made = resolve;
    });
    const stop = new AbortController();
    const run = all(helpers.run(helper, stop.signal));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    made();
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(names()).toEqual([]);
    expect(engine.started).toEqual([]);
  });
});

describe('what an agent before left', () => {
  const before = [
    left('ai-fabric-look-1', OURS),
    left('ai-fabric-models-2', { ...OURS, 'io.ai-fabric.helper': 'models' }),
  ];
  const others = [
    left('ai-fabric-look-3', { ...OURS, 'io.ai-fabric.host': 'another' }),
    left('ai-fabric-qwen', { 'io.ai-fabric.host': 'h', 'io.ai-fabric.deployment': 'qwen' }),
    left('postgres', {}),
  ];

  test('is removed when the engine first answers, and nothing else', async () => {
    const { helpers, names } = stage([...before, ...others]);
    await helpers.sweep();
    expect(names()).toEqual(others.map(({ name }) => name));
  });

  test('is looked for once, and again where the engine could not tell', async () => {
    const { engine, helpers, names } = stage(before);
    engine.listing = () => Promise.reject(new ContainerEngineError('unreachable', 'It is away.'));
    await helpers.sweep();
    engine.listing = () => Promise.resolve();
    await helpers.sweep();
    expect(names()).toEqual([]);
    let asked = 0;
    engine.listing = async () => {
      asked += 1;
    };
    await helpers.sweep();
    expect(asked).toBe(0);
  });

  test('is removed before another one is made', async () => {
    const { helpers, names } = stage([...before, ...others]);
    await all(helpers.run(helper, never));
    expect(names()).toEqual(others.map(({ name }) => name));
  });

  test('keeps nothing from running where it cannot be removed, and is tried again with the next', async () => {
    const { engine, helpers, names } = stage(before);
    engine.stuck = 'ai-fabric-look-1';
    engine.output = ['one'];
    await helpers.sweep();
    expect(await all(helpers.run(helper, never))).toEqual(['one']);
    expect(names()).toEqual(['ai-fabric-look-1']);
    engine.stuck = null;
    await all(helpers.run(helper, never));
    expect(names()).toEqual([]);
  });

  test('is told apart from what runs now', async () => {
    const { engine, helpers, names } = stage();
    engine.output = ['one'];
    for await (const _ of helpers.run(helper, never)) {
      await helpers.sweep();
      expect(names()).toHaveLength(1);
    }
    expect(names()).toEqual([]);
  });
});
