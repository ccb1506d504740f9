import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTarGzip } from 'nanotar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentConfig } from '../config/agent-config.js';
import { readAgentConfig } from '../config/read-agent-config.js';
import type { CapturedRun, CaptureRun } from '../identity/run-tool.js';
import { captureRun } from '../identity/run-tool.js';
import type { StartTool } from '../sensors/gpu/tool-process.js';
import { bundleManifestSchema } from './bundle-manifest.js';
import { Findings } from './findings.js';
import { type BundlePart, type GatheredPart, gatherBundle } from './gather-bundle.js';
import { packFindings } from './pack-findings.js';
import { gpuPart } from './parts/gpu-part.js';
import { servicePart } from './parts/service-part.js';
import { readEnd, readWhole } from './read-bounded.js';
import { writeBundle } from './write-bundle.js';

const facts = {
  ...{ madeAt: '2026-11-30T00:00:00.000Z', program: 'ai-fabric-agent 0.1.0', version: '0.1.0', commit: null },
  ...{ protocol: 6, node: 'v22.0.0', platform: 'linux', kernel: '6.1' },
};
const { signal } = new AbortController();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function gathered(part: BundlePart): Promise<Findings> {
  const findings = new Findings();
  await part.gather(findings, signal);
  return findings;
}

describe('parts of a bundle', () => {
  const part = (title: string, gather: BundlePart['gather']): BundlePart => ({
    title,
    deadlineMs: 1_000,
    gather,
  });
  const gather = (parts: readonly BundlePart[], told: GatheredPart[] = []): Promise<Findings> =>
    gatherBundle({
      ...{ parts, monotonicMs: () => 0, onGathered: (each) => told.push(each) },
      // The deadline passes at once for whoever is still there when all others are done.
      pause: (_ms, ended) =>
        new Promise((resolve, reject) => {
          ended.addEventListener('abort', () => reject(new Error('over')));
          setImmediate(() => setImmediate(resolve));
        }),
    });

  test('are in their order, whichever was the first; one that fails or hangs takes none of the others with it', async () => {
    const told: GatheredPart[] = [];
    let late: Findings | null = null;
    const found = await gather(
      [
        part('hangs', (findings) => {
          findings.file({ name: 'before', text: 'x', source: 'x' });
          late = findings;
          return new Promise(() => undefined);
        }),
        part('fails', () => Promise.reject(new Error('no luck'))),
        part('works', (findings) =>
          Promise.resolve(findings.file({ name: 'after', text: 'y', source: 'y' })),
        ),
      ],
      told,
    );
    (late as Findings | null)?.file({ name: 'too late', text: '', source: '' });
    expect(found.files.map(({ name }) => name)).toEqual(['before', 'after']);
    expect(found.missing).toEqual([
      { name: 'hangs', reason: 'it took longer than 1 s; what came until then is here' },
      { name: 'fails', reason: 'no luck' },
    ]);
    expect(told.map(({ title }) => title).sort()).toEqual(['fails', 'hangs', 'works']);
  });
});

describe('cards', () => {
  const search = { found: true, tool: { command: '/usr/bin/nvidia-smi', leadingArgs: [] } } as const;

  test('are asked as the sensor asks, less what an old driver does not know', async () => {
    const asked: string[] = [];
    const startTool: StartTool = (_tool, args, { onText, onEnd }) => {
      const line = args.join(' ');
      asked.push(line);
      const refused = ['power.draw.instant', 'clocks_event_reasons.active', 'pci.bus_id'].find((field) =>
        new RegExp(`[=,]${field.replace('.', '\\.')}(,| )`).test(line),
      );
      queueMicrotask(() => {
        onText(
          refused === undefined
            ? `answer to ${line}\n`
            : `Field "${refused}" is not a valid field to query.\n`,
        );
        onEnd({ exitCode: refused === undefined ? 0 : 2, signal: null, output: '', startError: null });
      });
      return { kill: () => undefined, abandon: () => undefined };
    };
    const { files, missing } = await gathered(
      gpuPart({ findTool: () => Promise.resolve(search), startTool }),
    );
    expect(missing).toEqual([]);
    const [readings] = files;
    expect(readings).toMatchObject({ name: 'nvidia-smi/readings.csv', answer: 0 });
    expect(readings?.args?.[0]).toContain('gpu_bus_id');
    expect(readings?.args?.[0]).not.toContain('clocks_event_reasons.active');
    expect(files.map(({ name }) => name)).toContain('nvidia-smi/inventory.xml');
    expect(asked.filter((line) => line.startsWith('--query-gpu'))).toHaveLength(3);
  });

  test('that hang are asked once, and killed', async () => {
    let [started, killed] = [0, 0];
    const late = new AbortController();
    const startTool: StartTool = () => {
      started += 1;
      setImmediate(() => late.abort());
      const kill = (): void => {
        killed += 1;
      };
      return { kill, abandon: () => undefined };
    };
    const findings = new Findings();
    await gpuPart({ findTool: () => Promise.resolve(search), startTool }).gather(findings, late.signal);
    expect([started, killed, findings.files]).toEqual([1, 1, []]);
    expect(findings.missing[0]?.reason).toContain('the driver hangs');
  });

  test('that are not there are told', async () => {
    const issue = {
      code: 'no_gpu',
      severity: 'info',
      subject: 'host',
      detail: 'None here.',
      fix: null,
    } as const;
    const findTool = () => Promise.resolve({ found: false, issue } as const);
    const { missing } = await gathered(
      gpuPart({ findTool, startTool: () => expect.fail('nothing is started') }),
    );
    expect(missing).toEqual([{ name: 'nvidia-smi', reason: 'None here.' }]);
  });
});

describe('the service', () => {
  const said = (output: string, more: Partial<CapturedRun> = {}): Promise<CapturedRun> =>
    Promise.resolve({ output, errorText: '', exitCode: 0, startError: null, isCut: false, ...more });

  test('of systemd: units, state, and the journal with the oldest first', async () => {
    const capture: CaptureRun = (file, [verb]) => {
      if (file === 'journalctl') return said('two HF_TOKEN is abcdefgh\none\n');
      return said(verb === 'cat' ? 'Environment="HF_TOKEN=abcdefgh" X=1\n' : 'ActiveState=active\n');
    };
    const found = await gathered(servicePart(readAgentConfig({ state: folder }, {}, 'linux'), capture));
    expect(found.secrets.map(({ value }) => value)).toContain('abcdefgh');
    const { files } = packFindings(found, { facts, redaction: null });
    expect(files.map(({ name }) => name)).toEqual([
      ...['manifest.json', 'service/units.txt', 'service/state.txt', 'logs/journal.txt'],
    ]);
    expect(files.at(-1)?.text).toBe('one\ntwo HF_TOKEN is «masked»\n');
  });

  test('of Windows: its registry, its state and the newest of its logs', async () => {
    const config: AgentConfig = readAgentConfig({ state: folder }, { ProgramData: folder }, 'win32');
    const capture: CaptureRun = (_file, [verb]) =>
      verb === 'query'
        ? said(String.raw`    AppEnvironmentExtra    REG_MULTI_SZ    A=b\0HF_TOKEN=abcdefgh\0`)
        : said('', { exitCode: null, startError: 'ENOENT' });
    const found = await gathered(servicePart(config, capture));
    expect(found.secrets.map(({ value }) => value)).toContain('abcdefgh');
    expect(found.files.map(({ name }) => name)).toEqual(['service/registry.txt']);
    expect(found.missing.map(({ name }) => name)).toEqual([
      'service/state.txt',
      'logs/events.txt',
      'logs/agent.log',
    ]);
    expect(found.missing[0]?.reason).toContain('there is no such program here');
  });
});

describe('a program', () => {
  test('is told by its output, its end, and that it was cut', async () => {
    const run = (script: string, maxBytes = 1_000) =>
      captureRun('/bin/sh', ['-c', script], { maxBytes, signal: AbortSignal.timeout(20_000) });
    expect(await run('echo out; echo err >&2; exit 3')).toEqual({
      ...{ output: 'out\n', errorText: 'err\n', exitCode: 3, startError: null, isCut: false },
    });
    expect(await run('while echo abcdefgh; do :; done', 100)).toMatchObject({
      isCut: true,
      startError: null,
    });
    const { signal: late } = new AbortController();
    expect(await captureRun('/no/such/program', [], { maxBytes: 10, signal: late })).toMatchObject({
      ...{ startError: 'ENOENT', exitCode: null },
    });
    const gone = await captureRun('/bin/sh', ['-c', 'sleep 60'], {
      maxBytes: 10,
      signal: AbortSignal.timeout(50),
    });
    expect(gone.exitCode).toBeNull();
  });
});

describe('a file', () => {
  test('is read from its end by whole lines, or whole, or not at all', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'one\ntwo\nthree\n');
    expect(await readEnd(path, 8)).toEqual({ text: 'three\n', isCut: true });
    expect(await readEnd(path, 100)).toEqual({ text: 'one\ntwo\nthree\n', isCut: false });
    expect(await readWhole(path, 100)).toBe('one\ntwo\nthree\n');
    expect(await readWhole('/proc/self/status', 100_000)).toContain('Name:');
    await expect(readWhole(path, 5)).rejects.toThrow('more than 5 bytes');
    await expect(readEnd(folder, 5)).rejects.toThrow('no file');
  });
});

describe('the archive', () => {
  const found = new Findings();
  found.file({ name: 'logs/journal.txt', text: 'a line\n', source: 'journalctl' });
  const packed = packFindings(found, { facts, redaction: null });
  const unprotected = () => Promise.resolve();

  test('is for its owner alone, and says what it holds', async () => {
    const path = join(folder, 'bundle.tar.gz');
    const bytes = await writeBundle(path, packed, unprotected);
    expect([statSync(path).size, statSync(path).mode & 0o777]).toEqual([bytes, 0o600]);
    const entries = await parseTarGzip(readFileSync(path));
    const texts = new Map(entries.map(({ name, text }) => [name, text]));
    const manifest = bundleManifestSchema.parse(
      JSON.parse(texts.get('ai-fabric-agent-bundle/manifest.json') ?? ''),
    );
    expect(manifest.files).toMatchObject([{ name: 'logs/journal.txt', bytes: 7 }]);
    expect(texts.get('ai-fabric-agent-bundle/logs/journal.txt')).toBe('a line\n');
    expect(readdirSync(folder)).toEqual(['bundle.tar.gz']);
  });

  test('takes no other file’s place, and leaves nothing where it cannot be written', async () => {
    const path = join(folder, 'bundle.tar.gz');
    writeFileSync(path, 'mine');
    await expect(writeBundle(path, packed, unprotected)).rejects.toThrow('is there already');
    await expect(writeBundle(join(folder, 'no', 'where'), packed, unprotected)).rejects.toThrow(
      'cannot be written',
    );
    await expect(
      writeBundle(join(folder, 'other'), packed, () => Promise.reject(new Error('no rights'))),
    ).rejects.toThrow('no rights');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual(['bundle.tar.gz']);
  });
});
