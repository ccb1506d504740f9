import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createInstalls } from './installs.js';
import type { Release, ReleaseFolder } from './release-folder.js';
import { ReleaseStage, sha256Of } from './testing/release-stage.js';

const stages: ReleaseStage[] = [];
function stageOf(options: { readonly signed?: boolean } = {}): ReleaseStage {
  const stage = new ReleaseStage(options);
  stages.push(stage);
  return stage;
}
afterEach(() => {
  for (const stage of stages.splice(0)) stage.remove();
});

const SCRIPT = '#!/bin/sh\necho hello\n';
const files = { 'agent.sh': SCRIPT, 'ai-fabric-agent-linux-x64.gz': Buffer.alloc(700_000, 7) };

async function verdictOf(folder: ReleaseFolder, name: string): Promise<string | null> {
  const artefact = folder.artefact(name);
  if (artefact === null) throw new Error(`${name} is not in the manifest`);
  const verdict = await folder.check(artefact);
  return verdict.ok ? null : verdict.detail;
}

describe('a release folder', () => {
  it('is served with all that its manifest names', async () => {
    const stage = stageOf();
    const manifest = stage.put(files);
    const release = (await stage.folder.look()) as Release;
    expect(release.manifest).toEqual(manifest);
    expect(release.manifestSha256).toBe(sha256Of(JSON.stringify(manifest)));
    expect(release.signed).toBe(false);
    for (const { name } of manifest.artefacts) expect(await verdictOf(stage.folder, name)).toBeNull();
  });

  it('that is not there, or has no manifest, is none, and says why', async () => {
    const stage = stageOf();
    expect(await stage.folder.look()).toBeNull();
    expect(stage.folder.problem).toContain('there is no manifest.json in it');
    rmSync(stage.directory, { recursive: true });
    expect(await stage.folder.look()).toBeNull();
    expect(stage.logged).toEqual([]);
  });

  it('may come later, and be replaced', async () => {
    const stage = stageOf();
    expect(await stage.folder.look()).toBeNull();
    stage.put(files);
    expect((await stage.folder.look())?.manifest.version).toBe('0.2.0');
    stage.put({ ...files, 'agent.sh': `${SCRIPT}# later\n` }, '0.3.0');
    expect((await stage.folder.look())?.manifest.version).toBe('0.3.0');
    expect(await verdictOf(stage.folder, 'agent.sh')).toBeNull();
    rmSync(stage.path('manifest.json'));
    expect(await stage.folder.look()).toBeNull();
  });

  it('is read once, however often it is looked at', async () => {
    const stage = stageOf();
    stage.put(files);
    const looks = await Promise.all([stage.folder.look(), stage.folder.look(), stage.folder.look()]);
    expect(new Set([...looks, await stage.folder.look()]).size).toBe(1);
    expect(stage.logged.filter((line) => line.includes('a release is served'))).toHaveLength(1);
  });

  it.each([
    ['shorter', SCRIPT.slice(1), 'bytes'],
    ['tampered with', SCRIPT.replace('hello', 'holla'), 'SHA-256'],
  ])('serves nothing of a file that is %s', async (_what, content, why) => {
    const stage = stageOf();
    stage.put(files);
    writeFileSync(stage.path('agent.sh'), content);
    await stage.folder.look();
    expect(await verdictOf(stage.folder, 'agent.sh')).toContain(why);
    expect(await verdictOf(stage.folder, 'ai-fabric-agent-linux-x64.gz')).toBeNull();
    expect(stage.logged.join('')).toContain('a file of the release is not served');
  });

  it('serves nothing of a file that is missing', async () => {
    const stage = stageOf();
    stage.put(files);
    rmSync(stage.path('agent.sh'));
    await stage.folder.look();
    expect(await verdictOf(stage.folder, 'agent.sh')).toContain('cannot be read');
  });

  it.each([
    ['', 'manifest_damaged'],
    ['{"format":1}', 'manifest_damaged'],
    ['{"format":2}', 'format_unknown'],
    ['x'.repeat(300_000), 'more than'],
  ])('whose manifest is no manifest is none (%#)', async (text, why) => {
    const stage = stageOf();
    stage.put(files);
    writeFileSync(stage.path('manifest.json'), text);
    expect(await stage.folder.look()).toBeNull();
    expect(stage.folder.problem).toContain(why);
  });
});

describe('a release folder of a program with a release key', () => {
  it('is served where that key signed it', async () => {
    const stage = stageOf({ signed: true });
    stage.put(files);
    expect(await stage.folder.look()).toMatchObject({ signed: true });
  });

  it('is none where it is not signed, or was changed', async () => {
    const stage = stageOf({ signed: true });
    const manifest = stage.put(files);
    writeFileSync(stage.path('manifest.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
    expect(await stage.folder.look()).toBeNull();
    expect(stage.folder.problem).toContain('signature_wrong');
    rmSync(stage.path('manifest.sig'));
    expect(await stage.folder.look()).toBeNull();
    expect(stage.folder.problem).toContain('signature_missing');
  });
});

describe('what is told of a release', () => {
  const wanted = {
    server: 'https://motoko:8443',
    token: `aifj_k3v9x2mq.${'s'.repeat(43)}.${'ab'.repeat(32)}`,
    hostName: null,
  };

  it('is a line for each system that it has both script and agent for', async () => {
    const stage = stageOf();
    stage.put({ ...files, 'agent.ps1': 'throw' });
    const lines = await createInstalls(stage.folder, 'PIN=').lines(wanted);
    expect(lines?.linux).toContain(sha256Of(SCRIPT));
    expect(lines?.windows).toBeNull();
    stage.put({ ...files, 'agent.ps1': 'throw', 'ai-fabric-agent-windows-x64.zip': 'zip' });
    expect((await createInstalls(stage.folder, 'PIN=').lines(wanted))?.windows).toContain(sha256Of('throw'));
  });

  it('is no line with the hash of a script that was tampered with', async () => {
    const stage = stageOf();
    stage.put(files);
    writeFileSync(stage.path('agent.sh'), SCRIPT.replace('hello', 'holla'));
    expect(await createInstalls(stage.folder, 'PIN=').lines(wanted)).toEqual({ linux: null, windows: null });
  });

  it('is nothing where there is none', async () => {
    const installs = createInstalls(stageOf().folder, 'PIN=');
    expect(await installs.lines(wanted)).toBeNull();
    expect(await installs.release()).toBeNull();
    expect(installs.newerThan('0.1.0')).toBeNull();
  });

  it('is whether it is newer than an agent', async () => {
    const stage = stageOf();
    stage.put(files);
    const installs = createInstalls(stage.folder, 'PIN=');
    const release = await installs.release();
    expect(release?.version).toBe('0.2.0');
    expect([release?.hasAgentFor('linux'), release?.hasAgentFor('windows')]).toEqual([true, false]);
    const newer = ['0.1.0', '0.2.0-rc.1', '0.2.0', '0.3.0', 'strange'].map((each) =>
      installs.newerThan(each),
    );
    expect(newer).toEqual(['0.2.0', '0.2.0', null, null, null]);
    expect(installs.newerThan(null)).toBeNull();
  });
});
