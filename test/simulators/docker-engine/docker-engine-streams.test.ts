import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerEngine, ContainerEvent, LogLine } from '@ai-fabric/agent';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../common/eventually.js';
import { collect, EngineFixture, failure, forever, OTHER, spec, still } from './engine-fixture.js';
import type { DockerEngineSimulator } from './start-docker-engine.js';

let fixture: EngineFixture;
beforeEach(() => {
  fixture = new EngineFixture();
});
afterEach(() => fixture.close());

describe('the card of a container', () => {
  it.each([
    ['Docker', { flavour: 'docker' }],
    ['Podman 5.4', { flavour: 'podman', version: '5.4.2' }],
    ['Podman 4.3', { flavour: 'podman', version: '4.3.1' }],
  ] as const)('is the one that was asked for, by UUID: %s', async (_name, options) => {
    await fixture.simulator({ ...still, ...options });
    const asked = fixture.client();
    const { id } = await asked.create(spec({ gpus: { uuids: [OTHER.uuid] } }), forever);
    await asked.start(id, forever);
    const { exitCode, output } = await asked.exec(id, ['nvidia-smi', '-L'], forever);
    expect(exitCode).toBe(0);
    expect(output).toBe(`GPU 0: ${OTHER.name} (UUID: ${OTHER.uuid})\n`);
  });

  it.each(['docker', 'podman'] as const)(
    'is missed by a look inside when it was lost without a word: %s',
    async (flavour) => {
      const engine = await fixture.simulator({ ...still, flavour });
      engine.loseGpus();
      const asked = fixture.client();
      const { id } = await asked.create(spec(), forever);
      await asked.start(id, forever);
      expect((await asked.exec(id, ['nvidia-smi', '-L'], forever)).exitCode).toBe(127);
    },
  );

  it('is not looked for in one that does not run', async () => {
    await fixture.simulator(still);
    const asked = fixture.client();
    const { id } = await asked.create(spec(), forever);
    expect((await failure(asked.exec(id, ['nvidia-smi', '-L'], forever))).code).toBe('conflict');
  });

  it('needs a CDI spec that knows it', async () => {
    await fixture.simulator({ ...still, flavour: 'podman', version: '4.3.1' });
    const asked = fixture.client();
    const { id } = await asked.create(spec({ gpus: { uuids: ['GPU-none'] } }), forever);
    expect((await failure(asked.start(id, forever))).code).toBe('cdi_spec_missing');
    writeFileSync(
      join(fixture.folder, 'nvidia.yaml'),
      'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices: []\n',
    );
    expect((await failure(asked.start(id, forever))).code).toBe('cdi_spec_stale');
  });
});

describe('logs', () => {
  async function started(
    tty = false,
  ): Promise<{ engine: DockerEngineSimulator; asked: ContainerEngine; id: string }> {
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
    const { id } = await asked.create(spec(), forever);
    if (tty) Object.assign(engine.container(id).wish, { tty: true });
    await asked.start(id, forever);
    return { engine, asked, id };
  }

  it.each([
    ['framed', false],
    ['raw', true],
  ])('come line by line, %s', async (_framing, tty) => {
    const { engine, asked, id } = await started(tty);
    engine.container(id).log('one\n');
    engine.container(id).log('two\n', 'stderr');
    const lines = await collect(asked.logs(id, { follow: false }, forever));
    expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(lines.map(({ stream }) => stream)).toEqual(['stdout', tty ? 'stdout' : 'stderr']);
    expect(Math.abs((lines[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('follow what is written until the container ends', async () => {
    const { engine, asked, id } = await started();
    const lines: LogLine[] = [];
    const reading = (async () => {
      for await (const line of asked.logs(id, { follow: true, tailLines: 0 }, forever)) lines.push(line);
    })();
    await eventually('it is followed', () => engine.requests.includes(`GET /containers/${id}/logs`));
    await eventually('lines come', () => {
      if (lines.length < 3) engine.container(id).log('and on\n');
      return lines.length >= 3;
    });
    await engine.kill(id);
    await reading;
    expect(lines[0]?.text).toBe('and on');
  });

  it('of a megabyte are cut, and broken UTF-8 is no obstacle', async () => {
    const { engine, asked, id } = await started();
    engine.container(id).log(`${'x'.repeat(1 << 20)}\n`);
    engine.container(id).log(Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a]));
    const lines = await collect(asked.logs(id, { follow: false }, forever));
    expect(lines[0]?.text.length).toBeLessThanOrEqual(4096);
    expect(lines[0]?.text).toMatch(/x… \[\d+ more\]$/);
    expect(lines[1]?.text).toBe('a\ufffd\ufffdb');
  });

  it('of a container that is not there are refused', async () => {
    await fixture.simulator(still);
    expect((await failure(collect(fixture.client().logs('nope', { follow: false }, forever)))).code).toBe(
      'not_found',
    );
  });
});

describe('events', () => {
  it('tell what happens, and where something may be missing', async () => {
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
    const events: ContainerEvent[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of asked.events(stop.signal)) events.push(event);
    })();
    const kinds = (): string[] => events.map(({ kind }) => kind);
    await eventually('they listen', () => kinds().length === 1 && engine.listeners === 1);
    const { id } = await asked.create(spec(), forever);
    await asked.start(id, forever);
    await engine.kill(id, { exitCode: 139 });
    await eventually('they heard', () => kinds().includes('die'));
    expect(kinds()).toEqual(['resynced', 'create', 'start', 'kill', 'die']);
    expect(events.at(-1)).toMatchObject({
      id,
      name: 'ai-fabric-chat',
      exitCode: 139,
      labels: { 'io.ai-fabric.deployment': 'chat' },
    });

    await engine.vanish();
    await engine.start(id);
    await engine.comeBack();
    await eventually('they are back', () => kinds().filter((kind) => kind === 'resynced').length === 2);
    await eventually(
      'what was missed comes too',
      () => kinds().lastIndexOf('start') > kinds().lastIndexOf('resynced'),
    );
    stop.abort();
    await reading;
    await eventually('nobody listens', () => engine.listeners === 0);
  });

  it('are read on while nobody takes them, and never pile up', async () => {
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
    const events = asked.events(forever)[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ kind: 'resynced' });
    engine.flood(10_000);
    await asked.create(spec({ name: 'ai-fabric-last' }), forever);
    let taken = 0;
    let resynced = false;
    for (;;) {
      const event: ContainerEvent = (await events.next()).value;
      taken += 1;
      if (event.kind === 'resynced') resynced = true;
      else if (event.name === 'ai-fabric-last') break;
    }
    expect(taken).toBeLessThanOrEqual(10_001);
    expect(resynced || taken === 10_001).toBe(true);
    await events.return?.();
  });

  it('end when the client is closed', async () => {
    await fixture.simulator(still);
    const asked = fixture.client();
    const events = collect(asked.events(forever));
    await asked.close();
    await events;
  });
});
