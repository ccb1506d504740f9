import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  askStatus,
  askVerb,
  InstalledUpgrades,
  releaseFetch,
  stageRelease,
  type UpgradeParts,
  type UpgradeRecord,
} from '@ai-fabric/agent';
import type { UpgradeMode, UpgradeReport } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { ReleaseFolderStage } from '../harness/release-folder.js';
import { eventually } from '../simulators/common/eventually.js';

const PROGRAM = '#!/bin/sh\necho the newer one\n';
/** A machine that is busy with others takes its time. */
const SOON_MS = 30_000;

interface HostAnswer {
  readonly presence: string;
  readonly goodbyeReason: string | null;
  readonly upgrade: UpgradeReport | null;
}

let release: ReleaseFolderStage;
let fabric: BootedControlPlane;
let host: AgentHost;
/** What root of that machine does, which is no part of these journeys. */
let root: { record: UpgradeRecord | null; asked: number };
let mode: UpgradeMode;
let ownVersion: string;
let offeredSha256 = '';

beforeEach(async () => {
  [root, mode, ownVersion] = [{ record: null, asked: 0 }, 'confirm', '0.1.0'];
  release = new ReleaseFolderStage();
  await release.put(PROGRAM);
  fabric = await BootedControlPlane.boot({
    fabric: fabricYaml({ hosts: { armitage: {} } }),
    config: { releaseDirectory: release.directory },
  });
  host = await AgentHost.prepare({ name: 'armitage', openUpgrades });
  await host.join(fabric.tlsUrl, await fabric.joinToken('armitage'));
});
afterEach(async () => {
  await host?.remove();
  await fabric?.close();
  release?.remove();
});

function openUpgrades(parts: UpgradeParts): Promise<InstalledUpgrades> {
  return InstalledUpgrades.open({
    ...{ ...parts, mode, ownVersion },
    words: { command: 'sudo ai-fabric-agent upgrade', log: 'journalctl' },
    readRecord: () => Promise.resolve(root.record),
    stage: ({ manifestSha256 }, signal) =>
      stageRelease({
        ...{ manifestSha256, signal, ownVersion, releaseKey: null, folder: staged() },
        fetch: releaseFetch(parts),
        platform: { os: 'linux', architecture: 'x64' },
      }),
    discard: () => Promise.resolve(),
    askRoot: () => {
      root.asked += 1;
      return Promise.resolve();
    },
  });
}

const staged = (): string => join(host.stateDirectory, 'upgrade');
const look = (): Promise<HostAnswer> => fabric.api<HostAnswer>('/hosts/armitage');
const offer = (): Promise<{ answer: string; code: string | null }> =>
  fabric.api('/hosts/armitage/offer-upgrade', { method: 'POST' });
const until = (what: string, holds: (host: HostAnswer) => boolean): Promise<void> =>
  eventually(`armitage ${what}`, async () => holds(await look()), SOON_MS);
const tells = (phase: UpgradeReport['phase']): Promise<void> =>
  until(`tells that it is ${phase}`, ({ upgrade }) => upgrade?.phase === phase);
const rootSays = (stage: UpgradeRecord['stage'], reason: string | null = null): void => {
  root.record = {
    ...{ format: 1, stage, signed: false, reason, proofs: 1, changedAtMs: Date.now() },
    from: { version: '0.1.0', folder: '/opt/old' },
    to: { version: '0.2.0', folder: '/opt/new' },
    manifestSha256: offeredSha256,
  };
};

async function start(): Promise<void> {
  await host.start();
  await until('is online', ({ presence }) => presence === 'online');
}

async function noteOffered(): Promise<void> {
  const status = await askStatus(host.stateDirectory, process.platform);
  offeredSha256 = status?.upgrade?.manifestSha256 ?? '';
  expect(offeredSha256).toMatch(/^[0-9a-f]{64}$/);
}

function health(): { readonly linkedSinceMs: number | null } {
  return JSON.parse(readFileSync(join(host.stateDirectory, 'health.json'), 'utf8')) as {
    readonly linkedSinceMs: number | null;
  };
}

describe('a newer agent', () => {
  test('is fetched on from where the connection was cut', async () => {
    const program = randomBytes(3_000_000);
    await release.put(program);
    mode = 'auto';
    const proxy = await CutOffProxy.start(fabric.tlsUrl);
    try {
      await host.start(proxy.url);
      await until('is online', ({ presence }) => presence === 'online');
      proxy.cutOneAfter(1_500_000);
      expect(await offer()).toMatchObject({ answer: 'done' });
      await eventually('root was asked', () => root.asked === 1, SOON_MS);
      expect(readFileSync(join(staged(), 'ai-fabric-agent')).equals(program)).toBe(true);
      expect(proxy.passedBytes).toBeLessThan(program.length * 1.5);
    } finally {
      await host.stop();
      await proxy.close();
    }
  });

  test('is offered, waits for its owner, is fetched from the control plane, and takes the place', async () => {
    await start();
    expect(await offer()).toMatchObject({ answer: 'done' });
    await tells('offered');
    await noteOffered();
    expect(root.asked).toBe(0);

    await askVerb(host.stateDirectory, process.platform, 'upgrade');
    await tells('staged');
    await eventually('root is asked', () => root.asked === 1, SOON_MS);
    expect(readFileSync(join(staged(), 'ai-fabric-agent'), 'utf8')).toBe(PROGRAM);
    rootSays('swapped');
    await tells('swapped');

    // systemd ends the one and starts the other.
    expect(await host.agent.isBeingReplaced()).toBe(true);
    await host.stop('restart');
    expect((await look()).goodbyeReason).toBe('restart');
    rootSays('proving');
    ownVersion = '0.2.0';
    await start();
    await tells('proving');
    await eventually('its health says that it is linked', () => health().linkedSinceMs !== null, SOON_MS);
    expect(health()).toMatchObject({ version: '0.2.0', pid: process.pid });
    rootSays('done');
    await tells('done');
    expect(await host.agent.isBeingReplaced()).toBe(false);
  });

  test('that was taken back is told with why, and not tried again by itself', async () => {
    mode = 'auto';
    await start();
    expect(await offer()).toMatchObject({ answer: 'done' });
    await eventually('root is asked', () => root.asked === 1, SOON_MS);
    const memory = JSON.parse(readFileSync(join(host.stateDirectory, 'upgrade.json'), 'utf8')) as {
      manifestSha256: string;
    };
    offeredSha256 = memory.manifestSha256;
    await host.stop('restart');
    rootSays('rolled_back', '0.2.0 was not linked within 120 s');
    await start();
    await tells('rolled_back');
    expect((await look()).upgrade?.detail).toContain('0.1.0 runs again: 0.2.0 was not linked');
    expect(await offer()).toMatchObject({ answer: 'done' });
    await tells('offered');
    expect(root.asked).toBe(1);
  });

  test('is refused by an owner who wants none', async () => {
    mode = 'off';
    await start();
    expect(await offer()).toMatchObject({ answer: 'refused', code: 'upgrades_off' });
    expect((await look()).upgrade).toBeNull();
  });

  test('that was replaced at the control plane since it was offered is not taken', async () => {
    await start();
    await offer();
    await tells('offered');
    await release.put(`${PROGRAM}# another\n`, '0.3.0');
    await askVerb(host.stateDirectory, process.platform, 'upgrade');
    await tells('failed');
    expect((await look()).upgrade?.detail).toContain('another release than the one it offered');
    expect(root.asked).toBe(0);
  });
});
