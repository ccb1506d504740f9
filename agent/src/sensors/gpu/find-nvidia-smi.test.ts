import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listToolPlaces } from './decide/list-tool-places.js';
import { findNvidiaSmi, type ToolSearchOptions } from './find-nvidia-smi.js';

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'find-nvidia-smi-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** On POSIX a backslash is part of a name, so the places of Windows can be laid out in one folder. */
async function lay(path: string, atSeconds = 1_000): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  await utimes(path, atSeconds, atSeconds);
  return path;
}

const windows = (): ToolSearchOptions => ({
  configuredPath: null,
  platform: 'win32',
  windowsDirectory: join(root, 'Windows'),
  programFiles: join(root, 'Program Files'),
});

const places = () => listToolPlaces('win32', join(root, 'Windows'), join(root, 'Program Files'));

describe('the places where a driver puts nvidia-smi', () => {
  it('are absolute, on every system', () => {
    for (const file of listToolPlaces('linux', '', '').files) expect(file).toMatch(/^\/.*\/nvidia-smi$/);
    for (const file of listToolPlaces('win32', 'C:\\Windows', 'C:\\Program Files').files) {
      expect(file).toMatch(/^C:\\.*\\nvidia-smi\.exe$/);
    }
  });

  it('begin with WSL’s own, which fits the driver of Windows', () => {
    expect(listToolPlaces('linux', '', '').files[0]).toBe('/usr/lib/wsl/lib/nvidia-smi');
  });
});

describe('on Windows', () => {
  it('System32 comes first', async () => {
    const [first = '', last = ''] = places().files;
    await lay(first);
    await lay(last, 9_999);
    expect(await findNvidiaSmi(windows())).toMatchObject({
      found: true,
      tool: { command: first, leadingArgs: [] },
    });
  });

  it('the newest tool of the driver store comes next', async () => {
    const store = places().driverStore ?? '';
    await lay(join(store, 'nv_dispi.inf_amd64_aaaa', 'nvidia-smi.exe'), 2_000);
    const newest = await lay(join(store, 'nvltig.inf_amd64_bbbb', 'nvidia-smi.exe'), 3_000);
    await lay(join(store, 'nvmdi.inf_amd64_cccc', 'nvidia-smi.exe'), 1_000);
    await lay(join(store, 'other.inf_amd64', 'nvidia-smi.exe'), 9_000);
    await lay(places().files.at(-1) ?? '', 9_999);
    expect(await findNvidiaSmi(windows())).toMatchObject({ found: true, tool: { command: newest } });
  });

  it('the old program folder comes last', async () => {
    const old = await lay(places().files.at(-1) ?? '');
    expect(await findNvidiaSmi(windows())).toMatchObject({ found: true, tool: { command: old } });
  });

  it('nothing anywhere is a host without a card', async () => {
    expect(await findNvidiaSmi(windows())).toMatchObject({
      found: false,
      issue: { code: 'no_gpu', severity: 'info' },
    });
  });
});

describe('a configured path', () => {
  it('is the only one that counts', async () => {
    await lay(places().files[0] ?? '');
    const configuredPath = await lay(join(root, 'mine', 'nvidia-smi'));
    expect(await findNvidiaSmi({ ...windows(), configuredPath })).toMatchObject({
      tool: { command: configuredPath },
    });
  });

  it.each(['nvidia-smi', './nvidia-smi', ''])(
    'is refused when it is %j: not absolute',
    async (configuredPath) => {
      expect(await findNvidiaSmi({ ...windows(), configuredPath })).toMatchObject({
        found: false,
        issue: { code: 'gpu_tool_failed', fix: expect.stringContaining('nvidia-smi setting') },
      });
    },
  );

  it('is refused when nothing is there, or a folder', async () => {
    for (const configuredPath of [join(root, 'missing'), root]) {
      expect(await findNvidiaSmi({ ...windows(), configuredPath })).toMatchObject({ found: false });
    }
  });
});
