import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BootIdentityOptions, readBootIdentity } from './boot-identity.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boot-identity-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const NOW_MS = Date.UTC(2026, 4, 1, 12, 0, 0);

function options(over: Partial<BootIdentityOptions> = {}): BootIdentityOptions & { warnings: string[] } {
  const warnings: string[] = [];
  return {
    platform: 'win32',
    stateDirectory: folder,
    clock: new ManualClock(NOW_MS),
    logger: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) }),
    uptimeSeconds: () => 3600,
    warnings,
    ...over,
  };
}

describe('the identity of a boot', () => {
  it('is Linux’s own name for it', async () => {
    const bootIdFile = join(folder, 'boot_id');
    await writeFile(bootIdFile, '859b4103-3640-4545-9337-e858fc314d0c\n');
    expect(await readBootIdentity(options({ platform: 'linux', bootIdFile }))).toEqual({
      bootId: '859b4103-3640-4545-9337-e858fc314d0c',
      bootedAtMs: NOW_MS - 3_600_000,
    });
  });

  it('is each simulated machine’s own, though one kernel runs them all', async () => {
    const bootIdFile = join(folder, 'boot_id');
    await writeFile(bootIdFile, '859b4103-3640-4545-9337-e858fc314d0c\n');
    const bootOf = async (simulatedInterfacesPath: string | null) =>
      (await readBootIdentity(options({ platform: 'linux', bootIdFile, simulatedInterfacesPath }))).bootId;
    const names = [await bootOf(null), await bootOf('/a.json'), await bootOf('/b.json')];
    expect(new Set(names).size).toBe(3);
    expect(await bootOf('/a.json')).toBe(names[1]);
    expect(names[0]).toBe('859b4103-3640-4545-9337-e858fc314d0c');
  });

  it('is made from the time where there is no name, and remembered through a restart and a set clock', async () => {
    const first = await readBootIdentity(options());
    expect(first).toEqual({ bootId: 'booted-2026-05-01T11:00:00.000Z', bootedAtMs: NOW_MS - 3_600_000 });
    const again = options({ clock: new ManualClock(NOW_MS + 600_000 + 45_000), uptimeSeconds: () => 4200 });
    expect(await readBootIdentity(again)).toEqual(first);
    const rebooted = options({ clock: new ManualClock(NOW_MS + 700_000), uptimeSeconds: () => 60 });
    expect((await readBootIdentity(rebooted)).bootId).not.toBe(first.bootId);
  });

  it.each(['', '{', '[]', '{"bootId":5}', 'null'])(
    'is made anew when the memory is damaged: %j',
    async (text) => {
      await writeFile(join(folder, 'boot.json'), text);
      expect((await readBootIdentity(options())).bootId).toBe('booted-2026-05-01T11:00:00.000Z');
      expect(JSON.parse(await readFile(join(folder, 'boot.json'), 'utf8'))).toMatchObject({
        uptimeSeconds: 3600,
      });
    },
  );

  it('is known without a memory, with a warning', async () => {
    const forgetful = options({ stateDirectory: join(folder, 'missing') });
    expect((await readBootIdentity(forgetful)).bootId).toBe('booted-2026-05-01T11:00:00.000Z');
    expect(forgetful.warnings.join()).toContain('could not be remembered');
  });
});
