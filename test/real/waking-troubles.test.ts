import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal, networkNamespaces, python } from '../harness/real-part.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { type InstalledNvidiaSmi, installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import type { Reply } from './network/lan-program.js';
import type { LanSleeper } from './network/lan-sleeper.js';
import { LAN_IMAGE, SleepingLan } from './network/sleeping-lan.js';
import type { SlowCable } from './network/slow-cable.js';

const engineAt = (host: string, address: string, model: string) =>
  `{ host: ${host}, task: chat, engine: external, url: 'http://${address}:8001', servedModel: ${model} }`;
const containerOn = (host: string) =>
  `{ host: ${host}, task: chat, engine: vllm, model: Qwen/Qwen2.5-1.5B-Instruct, image: ${LAN_IMAGE}, contextTokens: 4096 }`;
/** Its model's files are gone with each boot of a simulated container engine: it is expected to fetch them for a quarter of an hour. */
const roleOf = (...deployments: string[]) => {
  const targets = deployments.map((deployment) => `{ deployment: ${deployment} }`).join(', ');
  return `{ task: chat, patienceSeconds: 3600, targets: [${targets}] }`;
};

/**
 * Each role that comes to grief has a second target, on a machine that nothing is wrong with. A machine that was woken
 * once is known to be quick, and would come first: there are two of them.
 */
const FABRIC = `
version: 1
hosts:
  wintermute: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
  armitage: { mayBeAway: true, wake: { timeoutSeconds: 20 } }
  neuromancer: { mayBeAway: true, wake: { timeoutSeconds: 75 } }
  molly: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
  dixie: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
  case: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
deployments:
  near: ${engineAt('wintermute', '10.77.0.2', 'near')}
  spare: ${engineAt('case', '10.77.0.7', 'spare')}
  unloaded: ${containerOn('armitage')}
  hung: ${containerOn('neuromancer')}
  locked: ${containerOn('molly')}
  slow: ${engineAt('dixie', '10.77.0.6', 'slow')}
roles:
  chat-unloaded: ${roleOf('unloaded', 'spare')}
  chat-hung: ${roleOf('hung', 'spare')}
  chat-locked: ${roleOf('locked', 'near')}
  chat-slow: ${roleOf('slow')}
`;

/** Nobody on this machine has that number: its engine's user has never signed in. */
const ABSENT_USER_SOCKET = 'unix:///run/user/4294967290/podman/podman.sock';
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };

describeReal('hosts of a LAN that wake into trouble', [networkNamespaces, python], () => {
  let stage: SleepingLan;
  let home: TemporaryDirectory;
  let dixie: LanSleeper;
  let ofArmitage: InstalledNvidiaSmi;
  let ofNeuromancer: InstalledNvidiaSmi;
  let cable: SlowCable;
  let hung: Promise<Reply>;

  beforeAll(async () => {
    home = temporaryDirectory();
    stage = new SleepingLan('10.77.0.1/24');
    const { fabric } = stage;
    fabric.useFabric(FABRIC);
    await fabric.startControlPlane(['10.77.0.1', '127.0.0.1']);
    const driverOf = (name: string) =>
      installNvidiaSmi({ directory: join(home.path, name), scenario: { cards: [CARD] } });
    [ofArmitage, ofNeuromancer] = await Promise.all([driverOf('armitage'), driverOf('neuromancer')]);
    const sleeper = (name: string, address: string, parts: object) =>
      stage.addSleeper({
        ...{ name, host: fabric.lan.addHost(`${address}/24`), address: `${address}/24` },
        ...parts,
      });
    const ofDixie = fabric.lan.addHost('10.77.0.6/24');
    cable = await fabric.lan.laySlowCable(ofDixie, { delayMs: 60, jitterMs: 240 });
    const socketOf = (name: string) => join(home.path, `${name}.sock`);
    const sleepers = await Promise.all([
      sleeper('wintermute', '10.77.0.2', { model: 'near' }),
      sleeper('case', '10.77.0.7', { model: 'spare' }),
      sleeper('armitage', '10.77.0.3', { nvidiaSmi: ofArmitage, socket: socketOf('armitage') }),
      sleeper('neuromancer', '10.77.0.4', { nvidiaSmi: ofNeuromancer, socket: socketOf('neuromancer') }),
      sleeper('molly', '10.77.0.5', { socket: ABSENT_USER_SOCKET }),
      stage.addSleeper({ name: 'dixie', host: ofDixie, address: '10.77.0.6/24', model: 'slow' }),
    ]);
    dixie = sleepers[5];
    await Promise.all(['unloaded', 'hung'].map((deployment) => stage.untilReady(deployment)));
    const names = ['wintermute', 'case', 'armitage', 'neuromancer', 'molly', 'dixie'] as const;
    await Promise.all(sleepers.map((each, index) => stage.shutDown(names[index] ?? '', each)));
    await ofNeuromancer.change({ behaviour: { kind: 'hang' } });
    // A driver is given a minute before it is said to hang: the others are looked at meanwhile.
    hung = stage.chat('chat-hung');
    hung.catch(() => {});
  }, 300_000);
  afterAll(async () => {
    await stage?.close();
    home?.remove();
  });

  /** Each engine has a model of its own. */
  const answerOf = (model: string) => new RegExp(`"model":"${model}"[^]*data: \\[DONE\\]`);
  const wakeOf = async (host: string) => {
    await stage.untilAsked(
      `the wake of ${host} is over`,
      async () => (await stage.wakes()).some((wake) => wake.host === host && wake.outcome !== null),
      120_000,
    );
    return (await stage.wakes()).find((wake) => wake.host === host);
  };

  it('are told to stand at their login screen as soon as they are back, and the next one is asked', {
    timeout: 120_000,
  }, async () => {
    const answer = await stage.chat('chat-locked');
    expect(answer.body).toMatch(answerOf('near'));
    const wake = await wakeOf('molly');
    expect(wake).toMatchObject({ role: 'chat-locked', outcome: 'failed', failedPhase: 'engine_up' });
    expect(wake?.detail).toContain('nobody is signed in as that user');
    // Its time was not waited for.
    expect((wake?.endedAtMs ?? 0) - (wake?.askedAtMs ?? 0)).toBeLessThan(60_000);
    expect(await stage.issuesOf('molly')).toContain('sign_in_needed');
    expect(await wakeOf('wintermute')).toMatchObject({ role: 'chat-locked', outcome: 'ready' });
  });

  it('whose driver is not loaded are given up with what it says, and the next one is asked', {
    timeout: 120_000,
  }, async () => {
    await ofArmitage.change({ behaviour: { kind: 'driver_not_loaded' } });
    expect((await stage.chat('chat-unloaded')).body).toMatch(answerOf('spare'));
    const wake = await wakeOf('armitage');
    expect(wake).toMatchObject({ role: 'chat-unloaded', outcome: 'failed', failedPhase: 'engine_up' });
    expect(wake?.detail).toContain('The NVIDIA driver is not loaded');
    expect(await stage.issuesOf('armitage')).toContain('driver_not_loaded');
  });

  it('behind a line that delays and reorders what it carries are woken, and answer in order', {
    timeout: 120_000,
  }, async () => {
    const before = cable.tally;
    const answer = await stage.chat('chat-slow');
    expect(answer.body).toMatch(answerOf('slow'));
    expect(dixie.packets.length).toBeGreaterThan(0);
    expect(await wakeOf('dixie')).toMatchObject({ outcome: 'ready', failedPhase: null });
    const { carried, overtaken } = cable.tally;
    expect(carried - before.carried).toBeGreaterThan(50);
    expect(overtaken - before.overtaken).toBeGreaterThan(0);
    expect(await stage.powerOf('dixie')).toMatchObject({ state: 'online' });
  });

  it('whose driver hangs are given up with that, and the next one is asked', {
    timeout: 180_000,
  }, async () => {
    expect((await hung).body).toMatch(answerOf('spare'));
    const wake = await wakeOf('neuromancer');
    expect(wake).toMatchObject({ role: 'chat-hung', outcome: 'failed', failedPhase: 'engine_up' });
    expect(wake?.detail).toContain('nvidia-smi');
    expect(await stage.issuesOf('neuromancer')).toContain('driver_hung');
  });
});
