import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatJoinToken, type HostInventory, parseJoinToken } from '@ai-fabric/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { describeReal, wine } from '../harness/real-part.js';
import { readBundle } from '../simulators/bundle/read-bundle.js';
import { eventually } from '../simulators/common/eventually.js';
import { windowsNode } from './windows/windows-node.js';
import { WinePrefix, type WineProgram } from './windows/wine-prefix.js';

/** As it ships: it needs no folder of packages beside it. */
const AGENT = join(import.meta.dirname, '..', '..', 'agent', 'dist', 'program');

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;

/** A blank in it, as in so many paths of Windows. */
const STATE = 'C:\\ProgramData\\AI Fabric\\agent';

interface Host {
  readonly presence: string;
  readonly goodbyeReason: string | null;
  readonly agentVersion: string | null;
  readonly inventory: HostInventory | null;
  readonly sample: {
    readonly atMs: number;
    readonly host: Readonly<Record<string, number | null>>;
  } | null;
  readonly issues: readonly { readonly code: string; readonly severity: string }[];
}

describeReal('the agent on Windows', [wine, windowsNode], () => {
  let prefix: WinePrefix;
  let fabric: BootedControlPlane;
  let agent: WineProgram;

  beforeAll(async () => {
    prefix = new WinePrefix();
    fabric = await BootedControlPlane.boot({ fabric: FABRIC });
    cpSync(AGENT, join(prefix.drive, 'agent'), { recursive: true });
    writeFileSync(join(prefix.drive, 'agent', 'package.json'), '{ "type": "module" }\n');
  });

  afterAll(async () => {
    await prefix?.close();
    await fabric?.close();
  });

  const runAgent = (...args: string[]): WineProgram =>
    prefix.node('C:\\agent\\main.js', args, {
      AI_FABRIC_AGENT_STATE: STATE,
      AI_FABRIC_AGENT_NAME: 'armitage',
    });

  const startJoin = (token: string): WineProgram => {
    writeFileSync(join(prefix.drive, 'join.token'), `${token}\r\n`, { mode: 0o600 });
    return runAgent('join', '--server', fabric.tlsUrl, '--token-file', 'C:\\join.token');
  };

  const look = (): Promise<Host> => fabric.api<Host>('/hosts/armitage');

  const inState = (file: string): string => join(prefix.drive, 'ProgramData', 'AI Fabric', 'agent', file);

  it('does not join a control plane whose certificate is not the pinned one', async () => {
    const token = parseJoinToken(await fabric.joinToken('armitage'));
    if (token === null) throw new Error('the control plane made a token that is none');
    const joining = startJoin(formatJoinToken({ ...token, certificateSha256: 'ab'.repeat(32) }));

    expect(await joining.exited()).not.toBe(0);

    expect(joining.output).toMatch(/certificate/i);
    expect(joining.output).not.toContain(token.secret);
    expect((await look()).presence).toBe('unseen');
    const { items } = await fabric.api<{ items: { state: string }[] }>('/join-tokens');
    expect(items.map(({ state }) => state)).toEqual(['unused']);
  });

  it('joins with a token from a file and keeps its key', async () => {
    const joining = startJoin(await fabric.joinToken('armitage'));

    expect(await joining.exited(), joining.output).toBe(0);

    expect(existsSync(inState('host-key.pem'))).toBe(true);
    expect(existsSync(inState('agent.json'))).toBe(true);
  });

  it('links and says what kind of machine it is on', async () => {
    agent = runAgent('run');
    await untilHost(
      'online with its inventory',
      ({ presence, inventory }) => presence === 'online' && inventory !== null,
    );

    const { inventory } = await look();
    expect(inventory).toMatchObject({ os: 'windows', architecture: 'x64', gpus: [] });
    expect(inventory?.memoryTotalBytes).toBeGreaterThan(0);
    expect(inventory?.interfaces.length).toBeGreaterThan(0);
    expect(inventory?.bootId).not.toBe('');
  });

  it('gathers a support bundle, with what it found and what could not be had', async () => {
    const bundling = runAgent('support-bundle', '--out', 'C:\\bundle.tar.gz', '--json');

    expect(await bundling.exited(), bundling.output).toBe(0);

    const { manifest, texts } = await readBundle(join(prefix.drive, 'bundle.tar.gz'));
    expect(manifest).toMatchObject({ platform: 'win32', namesRedacted: false });
    // Each part has its time, and Wine takes its own: what did not come in time is told.
    const told = [...texts.keys(), ...manifest.missing.map(({ name }) => name)];
    for (const part of [
      /^status/,
      /^(checklist|doctor)/,
      /^(settings|config)/,
      /^(cards|nvidia-smi)/,
      /^(system|host)/,
    ]) {
      expect(told).toContainEqual(expect.stringMatching(part));
    }
    for (const text of texts.values()) expect(text).not.toContain('PRIVATE KEY');
  });

  it('reports what the host does, again and again', async () => {
    await untilHost(
      'reporting',
      ({ sample }) => sample?.host['cpuRatio'] != null && sample.host['diskTotalBytes'] != null,
    );
    const first = (await look()).sample;
    expect(first?.host['memoryUsedBytes']).toBeGreaterThan(0);

    await untilHost('reporting anew', ({ sample }) => (sample?.atMs ?? 0) > (first?.atMs ?? 0));
  });

  it('says calmly that there is no NVIDIA card', async () => {
    await untilHost('without a card', ({ issues }) => issues.some(({ code }) => code === 'no_gpu'));
    const { issues } = await look();
    expect(issues).toEqual([expect.objectContaining({ code: 'no_gpu', severity: 'info' })]);
  });

  it('tells its state to whoever asks on the machine', async () => {
    const status = runAgent('status', '--json');

    expect(await status.exited(), status.output).toBe(0);

    expect(JSON.stringify(JSON.parse(status.output))).toContain('armitage');
  });

  // Whether a second agent is refused Wine 8 cannot show: it lets any number of programs listen on one named pipe.
  it('does not join anew while it runs', async () => {
    const joining = startJoin(await fabric.joinToken('armitage'));

    expect(await joining.exited()).not.toBe(0);

    expect(joining.output).toContain('An agent runs on');
    expect((await look()).presence).toBe('online');
  });

  it('says goodbye when it is stopped', async () => {
    agent.interrupt();

    expect(await agent.exited(), agent.output).toBe(0);
    await untilHost('away', ({ presence }) => presence === 'away');
    expect((await look()).goodbyeReason).not.toBeNull();
  });

  it('comes back under the same key without a token', async () => {
    agent = runAgent('run');
    await untilHost('online again', ({ presence }) => presence === 'online');
  });

  async function untilHost(what: string, holds: (host: Host) => boolean): Promise<void> {
    try {
      await eventually(`armitage is ${what}`, async () => !agent.running || holds(await look()), 45_000);
      if (!holds(await look())) throw new Error('the agent ended');
    } catch (error) {
      throw new Error(`${String(error)}; the agent said:\n${agent.output.slice(-4_000)}`, { cause: error });
    }
  }
});
