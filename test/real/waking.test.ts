import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal, networkNamespaces } from '../harness/real-part.js';
import type { LanHost } from './network/lan.js';
import type { LanProgram } from './network/lan-program.js';
import type { LanSleeper } from './network/lan-sleeper.js';
import { SleepingLan } from './network/sleeping-lan.js';

const engineAt = (host: string, address: string, model: string) =>
  `{ host: ${host}, task: chat, engine: external, url: 'http://${address}:8001', servedModel: ${model} }`;
const roleOf = (...deployments: string[]) => {
  const targets = deployments.map((deployment) => `{ deployment: ${deployment} }`).join(', ');
  return `{ task: chat, patienceSeconds: 300, targets: [${targets}] }`;
};

/** Of `armitage`, as it is declared. */
const COOLDOWN_MS = 6_000;
/** `armitage` never comes back by itself; `neuromancer` loses its power. The annex is behind a router. */
const FABRIC = `
version: 1
hosts:
  wintermute: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
  armitage: { mayBeAway: true, wake: { timeoutSeconds: 10, cooldownMinutes: 0.1 } }
  neuromancer: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
  molly: {}
  case: {}
  ratz: {}
  dixie: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
deployments:
  near: ${engineAt('wintermute', '10.77.0.2', 'near')}
  mute: ${engineAt('armitage', '10.77.0.3', 'mute')}
  cut: ${engineAt('neuromancer', '10.77.0.4', 'cut')}
  far: ${engineAt('dixie', '10.88.0.5', 'far')}
roles:
  chat-near: ${roleOf('near')}
  chat-far: ${roleOf('far')}
  chat-mute: ${roleOf('mute')}
  chat-either: ${roleOf('mute', 'cut')}
`;

const ANNEX = 'annex';

describeReal('hosts of a LAN that sleep', [networkNamespaces], () => {
  let stage: SleepingLan;
  let wintermute: LanSleeper;
  let armitage: LanSleeper;
  let dixie: LanSleeper;
  let ofArmitage: LanHost;
  let ofWintermute: LanHost;
  let relays: LanProgram[] = [];

  beforeAll(async () => {
    stage = new SleepingLan('10.77.0.1/24');
    const { fabric } = stage;
    const { lan, motoko } = fabric;
    fabric.useFabric(FABRIC);
    lan.addRouter('10.77.0.254/24', ANNEX, '10.88.0.254/24');
    lan.addRouteBy(motoko, '10.88.0.0/24', '10.77.0.254');
    const near = (address: string) => lan.addHost(`${address}/24`);
    const far = (address: string) => {
      const host = lan.addHost(`${address}/24`);
      lan.moveToVlan(host, ANNEX);
      lan.addRouteBy(host, '10.77.0.0/24', '10.88.0.254');
      return host;
    };
    await fabric.startControlPlane(['10.77.0.1', '127.0.0.1']);
    ofWintermute = near('10.77.0.2');
    ofArmitage = near('10.77.0.3');
    const sleeper = (name: string, host: LanHost, address: string, model: string, staysSilent = false) =>
      stage.addSleeper({ name, host, address: `${address}/24`, model, staysSilent });
    const relay = (name: string, address: string) => stage.addRelay(name, far(address), `${address}/24`);
    const cut = sleeper('neuromancer', near('10.77.0.4'), '10.77.0.4', 'cut').then((neuromancer) =>
      neuromancer.cutPower(),
    );
    [wintermute, armitage, dixie, ...relays] = await Promise.all([
      sleeper('wintermute', ofWintermute, '10.77.0.2', 'near'),
      sleeper('armitage', ofArmitage, '10.77.0.3', 'mute', true),
      sleeper('dixie', far('10.88.0.5'), '10.88.0.5', 'far'),
      relay('molly', '10.88.0.2'),
      relay('case', '10.88.0.3'),
      relay('ratz', '10.88.0.4'),
    ]);
    await cut;
    await Promise.all([stage.shutDown('wintermute', wintermute), stage.shutDown('dixie', dixie)]);
  }, 240_000);
  afterAll(() => stage?.close());

  const sources = (sleeper: LanSleeper) => new Set(sleeper.packets.map(({ from }) => from));
  /** Each engine has a model of its own. */
  const answerOf = (model: string) => new RegExp(`"model":"${model}"[^]*data: \\[DONE\\]`);

  it('answer the request that woke them by a packet of the control plane’s own interface', {
    timeout: 120_000,
  }, async () => {
    const answer = await stage.chat('chat-near');
    expect(answer.body).toMatch(answerOf('near'));
    expect(sources(wintermute)).toContain('10.77.0.1');
    const [wake] = await stage.wakes();
    expect(wake).toMatchObject({ host: 'wintermute', role: 'chat-near', outcome: 'ready' });
    expect(Object.keys(wake?.phases ?? {})).toEqual(
      expect.arrayContaining(['packet_sent', 'agent_back', 'model_ready']),
    );
  });

  it('are woken by the next packets where most get lost', { timeout: 120_000 }, async () => {
    await stage.shutDown('wintermute', wintermute);
    const { lan } = stage.fabric;
    lan.loseDatagrams(ofWintermute, 1);
    const asked = stage.chat('chat-near');
    await stage.untilAsked('the first packets have left', async () => {
      const [wake] = await stage.wakes();
      return wake?.outcome === null && wake.phases['packet_sent'] !== undefined;
    });
    lan.loseDatagrams(ofWintermute, 0.7);
    expect((await asked).body).toMatch(answerOf('near'));
    lan.loseDatagrams(ofWintermute, 0);
  });

  it('are woken through a neighbour where the control plane has no address', {
    timeout: 120_000,
  }, async () => {
    const answer = await stage.chat('chat-far');
    expect(answer.body).toMatch(answerOf('far'));
    // Two relays at once: the third had nothing to do.
    expect([...sources(dixie)].sort()).toEqual(['10.88.0.2', '10.88.0.3']);
  });

  it('are woken through another neighbour where the first ones die with the packet unsent', {
    timeout: 120_000,
  }, async () => {
    await stage.shutDown('dixie', dixie);
    const dying = relays.slice(0, 2);
    for (const relay of dying) relay.freeze();
    const asked = stage.chat('chat-far');
    await stage.untilAsked('they were asked', async () => {
      const [wake] = await stage.wakes();
      return wake?.host === 'dixie' && wake.outcome === null;
    });
    await Promise.all(dying.map((relay) => relay.kill()));
    expect((await asked).body).toMatch(answerOf('far'));
    expect([...sources(dixie)]).toEqual(['10.88.0.4']);
  });

  it('whose port is in another VLAN are given up, with the phase and what is known', {
    timeout: 120_000,
  }, async () => {
    stage.fabric.lan.moveToVlan(ofArmitage, 'guests');
    const answer = await stage.chat('chat-mute');
    stage.fabric.lan.moveToVlan(ofArmitage, 'lan');
    expect(answer.body).toContain('armitage: nothing was heard of it: not within 10 s');
    expect(answer.body).toContain('never proven');
    expect(armitage.packets).toEqual([]);
    await stage.untilAsked('its wake is kept as failed', async () => {
      const [wake] = await stage.wakes();
      return wake?.host === 'armitage' && wake.failedPhase === 'answers';
    });
  });

  it('that come up without their agent are passed over for the next, be it one that lost its power', {
    timeout: 120_000,
  }, async () => {
    await stage.untilPower('neuromancer', 'offline');
    await stage.untilAsked('armitage may be tried again', async () => {
      const [wake] = await stage.wakes();
      return (wake?.endedAtMs ?? 0) + COOLDOWN_MS < Date.now();
    });
    expect(await stage.powerOf('neuromancer')).toMatchObject({ wakeability: { kind: 'yes' } });
    const answer = await stage.chat('chat-either');
    expect(answer.body).toMatch(answerOf('cut'));
    await stage.untilAsked('the wake is over', async () => (await stage.wakes())[0]?.outcome !== null);
    const wakes = await stage.wakes();
    expect(wakes.slice(0, 2)).toMatchObject([
      { host: 'neuromancer', outcome: 'ready', fromState: 'unknown' },
      { host: 'armitage', outcome: 'failed', failedPhase: 'agent_back' },
    ]);
    expect(wakes[1]?.detail).toContain('the machine answers, and its agent did not come back');
    expect(armitage.state).toBe('awake');
    expect(armitage.packets.length).toBeGreaterThan(0);
  });
});
