import { UPGRADE_PROTOCOL_VERSION, type UpgradeReport } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { hostKeys, LightHost, type LightHostOptions } from '../harness/light-host.js';
import { ReleaseFolderStage } from '../harness/release-folder.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface ShownHost {
  readonly name: string;
  readonly agentVersion: string;
  readonly newerAgent: string | null;
  readonly upgrade: UpgradeReport | null;
}

/** A host whose agent becomes another one when it is offered one, as an installed agent would. */
class UpgradableHost {
  readonly #tlsUrl: string;
  readonly #keys = hostKeys();
  readonly #name: string;
  readonly #more: Partial<LightHostOptions>;
  #host: LightHost | null = null;
  offers = 0;

  constructor(tlsUrl: string, name: string, more: Partial<LightHostOptions> = {}) {
    this.#tlsUrl = tlsUrl;
    this.#name = name;
    this.#more = more;
  }

  async link(agentVersion: string, joinToken?: string): Promise<void> {
    await this.#host?.sayGoodbye('restart');
    this.#host = new LightHost({
      ...{ tlsUrl: this.#tlsUrl, name: this.#name, keys: this.#keys, machine: this.#name, agentVersion },
      ...(joinToken === undefined ? {} : { joinToken }),
      onCommand: (command) => {
        if (command === 'offer_upgrade') this.offers += 1;
      },
      ...this.#more,
    });
    await this.#host.link();
  }

  tell(upgrade: UpgradeReport): void {
    this.#host?.report({ upgrade });
  }

  async close(): Promise<void> {
    await this.#host?.close();
  }
}

let release: ReleaseFolderStage;
let controlPlane: BootedControlPlane;
let hosts: UpgradableHost[];

beforeEach(async () => {
  hosts = [];
  release = new ReleaseFolderStage();
  await release.put('#!/bin/sh\n', '0.2.0');
  controlPlane = await BootedControlPlane.boot({
    fabric: fabricYaml({ hosts: { armitage: {}, motoko: {}, wintermute: { mayBeAway: true } } }),
    config: { releaseDirectory: release.directory },
  });
});
afterEach(async () => {
  for (const host of hosts) await host.close();
  await controlPlane.close();
  release.remove();
});

async function join(
  name: string,
  more: Partial<LightHostOptions> = {},
  version = '0.1.0',
): Promise<UpgradableHost> {
  const host = new UpgradableHost(controlPlane.tlsUrl, name, more);
  hosts.push(host);
  await host.link(version, await controlPlane.joinToken());
  return host;
}

const cli = (...args: readonly string[]): Promise<CliResult> =>
  runCli(['hosts', ...args, '--data', controlPlane.dataDirectory]);

async function shown(name: string): Promise<ShownHost> {
  return controlPlane.api<ShownHost>(`/hosts/${name}`);
}

describe('hosts upgrade', () => {
  test('offers what lies there, and says what the host answered', async () => {
    const armitage = await join('armitage');
    await eventually(
      'the release was looked at',
      async () => (await shown('armitage')).newerAgent === '0.2.0',
    );
    const { exitCode, stdout } = await cli('upgrade', 'armitage', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      [
        {
          host: 'armitage',
          from: '0.1.0',
          version: '0.2.0',
          answer: 'done',
          code: null,
          detail: null,
          proven: null,
        },
      ],
    ]);
    expect(armitage.offers).toBe(1);
    armitage.tell({ phase: 'offered', version: '0.2.0', detail: 'run: ai-fabric-agent upgrade' });
    await eventually('it is shown', async () => (await shown('armitage')).upgrade?.phase === 'offered');
    const { stdout: text } = await cli('show', 'armitage');
    expect(text).toContain('to 0.2.0, offered: run: ai-fabric-agent upgrade');
    await armitage.link('0.2.0');
    expect(await shown('armitage')).toMatchObject({ agentVersion: '0.2.0', newerAgent: null, upgrade: null });
    const again = await cli('upgrade', 'armitage');
    expect([again.exitCode, again.stderr]).toEqual([4, expect.stringContaining('runs that version')]);
    expect(armitage.offers).toBe(1);
  });

  test('asks the rest when the canary runs it and is well', async () => {
    const armitage = await join('armitage');
    const motoko = await join('motoko');
    await eventually('the release was looked at', async () => (await shown('motoko')).newerAgent === '0.2.0');
    const running = cli('upgrade', '--all', '--canary', '1', '--json');
    await eventually('the canary is asked', () => armitage.offers === 1, 30_000);
    armitage.tell({ phase: 'proving', version: '0.2.0', detail: null });
    expect(motoko.offers).toBe(0);
    await armitage.link('0.2.0');
    const { exitCode, stdout } = await running;
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      [
        { host: 'armitage', answer: 'done', proven: true },
        { host: 'motoko', answer: 'done', proven: null },
      ],
    ]);
    expect([armitage.offers, motoko.offers]).toEqual([1, 1]);
  });

  test('asks nobody else when the canary went back', async () => {
    const armitage = await join('armitage');
    const motoko = await join('motoko');
    await eventually('the release was looked at', async () => (await shown('motoko')).newerAgent === '0.2.0');
    const running = cli('upgrade', '--all', '--canary', '1');
    await eventually('the canary is asked', () => armitage.offers === 1, 30_000);
    armitage.tell({ phase: 'rolled_back', version: '0.2.0', detail: 'no link within 120 s' });
    const { exitCode, stdout, stderr } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('armitage: rolled back: no link within 120 s; 1 more were not asked');
    expect(stdout).toMatch(/^motoko +0\.1\.0 +0\.2\.0 +not asked/m);
    expect(motoko.offers).toBe(0);
  });

  test('tells of each that did not take it, and goes on', async () => {
    await join('armitage', { refuses: (name) => (name === 'offer_upgrade' ? 'upgrades_off' : null) });
    await join('motoko', { protocolVersion: UPGRADE_PROTOCOL_VERSION - 1 });
    const wintermute = await join('wintermute');
    await wintermute.close();
    await eventually('the release was looked at', async () => (await shown('motoko')).newerAgent === '0.2.0');
    const { exitCode, stdout } = await cli('upgrade', '--all', '--json');
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      1,
      [
        { host: 'armitage', answer: 'refused', code: 'upgrades_off' },
        { host: 'motoko', answer: 'failed', detail: expect.stringContaining('too old') },
        { host: 'wintermute', answer: 'away' },
      ],
    ]);
  });

  test('wants to know who is meant', async () => {
    const wrong = [[], ['armitage', '--all'], ['armitage', '--canary', '1'], ['--all', '--canary', '0']];
    const ended = await Promise.all(wrong.map((args) => cli('upgrade', ...args)));
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2]);
  });
});

describe('/install/', () => {
  test('is given in clear to this machine alone, not to whoever is behind a proxy on it', async () => {
    const url = `${controlPlane.url}/install/manifest.json`;
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toMatchObject([200, { version: '0.2.0' }]);
    const forwarded = await fetch(url, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect([forwarded.status, await forwarded.text()]).toEqual([404, expect.stringContaining('use https')]);
  });
});
