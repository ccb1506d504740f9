import { describeReplica } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleOf } from '../live/testing/live-fixtures.js';
import { FleetStage, settle, wired } from './testing/fleet-stage.js';
import type { WakeTicket } from './wake-desk.js';

const deployment = (host: string) =>
  `{ host: ${host}, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }`;

const FABRIC = `
version: 1
hosts:
  motoko: {}
  wintermute: { mayBeAway: true }
  armitage: { mayBeAway: true, wake: { timeoutSeconds: 100 } }
deployments:
  deep: ${deployment('wintermute')}
  fast: ${deployment('armitage')}
roles:
  chat: { task: chat, targets: [{ deployment: deep }, { deployment: fast }] }
`;

let stage: FleetStage;

function open(fabric = FABRIC): FleetStage {
  stage = new FleetStage(fabric);
  return stage;
}

afterEach(() => stage.close());

function ticket(found: ReturnType<FleetStage['ask']>): WakeTicket {
  if ('refused' in found) throw new Error(found.detail);
  return found;
}

const refusal = (found: ReturnType<FleetStage['ask']>) => ('refused' in found ? found.detail : null);

/** Its agent tells that the weights are not in its cache. */
function fetches(host: string, deployment: string): void {
  const growth = { imageBytes: 0, weightsBytes: 5e9, freeBytes: null, detail: 'its weights' };
  stage.live.takeReport(host, {
    clockSkewMs: 0,
    samples: [{ sample: sampleOf(stage.clock.nowMs()), backfilled: false }],
    replicas: [describeReplica({ deployment, phase: 'loading', growth })],
  });
}

async function wakeUp(host: string, replicas: Record<string, 'ready'>): Promise<void> {
  stage.link(host);
  await settle();
  stage.report(host, replicas);
  await settle();
}

describe('a request for a host that sleeps', () => {
  it('sends packets at once, tells each phase, and ends with the model', async () => {
    open().sleeping('wintermute');
    await settle();
    expect(stage.power('wintermute')).toMatchObject({
      state: 'asleep',
      wakeability: { kind: 'yes', proven: false },
    });
    const seat = ticket(stage.ask(['deep', 'fast']));
    expect(stage.packets).toHaveLength(1);
    expect(stage.packets[0]).toMatchObject({
      macs: ['52:54:00:00:00:01'],
      addresses: ['192.168.1.20'],
      own: [{ interface: 'lan0', address: '192.168.1.5/24' }],
    });
    await settle();
    expect(seat).toMatchObject({ host: 'wintermute', wakeId: 'wake-1' });
    expect(stage.power('wintermute')).toMatchObject({
      state: 'waking',
      flight: { wakeId: 'wake-1', phase: 'packet_sent', waiters: 1 },
    });
    await stage.advance(34_000);
    stage.link('wintermute');
    await settle();
    expect(stage.power('wintermute')?.flight?.text).toMatch(/^agent back after 34 s; model ready in about /);
    await stage.advance(4_000);
    stage.report('wintermute', { deep: 'loading' });
    await settle();
    expect(stage.power('wintermute')?.flight?.phase).toBe('engine_up');
    await stage.advance(10_000);
    stage.report('wintermute', { deep: 'ready' });
    await settle();
    expect(stage.power('wintermute')).toMatchObject({
      state: 'online',
      flight: null,
      readySeconds: { deep: 48 },
      wakeability: { kind: 'yes', proven: true },
    });
    expect(stage.wakes.find('wake-1')).toMatchObject({
      outcome: 'ready',
      fromState: 'suspend',
      waiters: 1,
      phases: { packet_sent: 0, agent_back: 34_000, engine_up: 38_000, model_ready: 48_000 },
    });
  });

  it('sends volleys until the agent is back, and no more', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(25_000);
    stage.link('wintermute');
    await stage.advance(120_000);
    expect(stage.volleysAtMs).toEqual([0, 2_000, 5_000, 10_000, 20_000]);
  });

  it('holds the machine awake as soon as its agent is back', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(10_000);
    stage.link('wintermute');
    expect(stage.commands).toMatchObject([
      { host: 'wintermute', command: { name: 'hold_awake', seconds: 600 }, atMs: 10_000 },
    ]);
  });

  it('says nothing of power to an agent that knows nothing of it', async () => {
    open().protocol = 4;
    stage.sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(10_000);
    stage.link('wintermute');
    expect(stage.commands).toEqual([]);
  });

  it('does not take for ready what was ready before the sleep', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'ready' });
    stage.leave('wintermute', 'suspend');
    stage.ask(['deep']);
    await stage.advance(10_000);
    stage.link('wintermute');
    await settle();
    expect(stage.power('wintermute')?.flight?.phase).toBe('agent_back');
    stage.report('wintermute', { deep: 'starting' });
    await settle();
    expect(stage.power('wintermute')?.flight?.phase).toBe('agent_back');
    stage.report('wintermute', { deep: 'ready' });
    expect(stage.wakes.find('wake-1')?.outcome).toBe('ready');
  });
});

describe('requests that arrive during a wake', () => {
  it('share its one flight, and leave it one by one', async () => {
    open().sleeping('wintermute');
    const seats = Array.from({ length: 1_000 }, () => ticket(stage.ask(['deep'])));
    await settle();
    expect(new Set(seats.map(({ wakeId }) => wakeId))).toEqual(new Set(['wake-1']));
    expect(stage.power('wintermute')?.flight?.waiters).toBe(1_000);
    for (const seat of seats.slice(1)) {
      seat.leave();
      seat.leave();
    }
    await settle();
    expect(stage.power('wintermute')?.flight?.waiters).toBe(1);
    seats[0]?.leave();
    await stage.advance(5_000);
    expect(stage.power('wintermute')?.flight?.waiters).toBe(0);
    expect(stage.volleysAtMs).toEqual([0, 2_000, 5_000]);
  });

  it('wake no second host while one is on its way', async () => {
    open().sleeping('wintermute');
    stage.sleeping('armitage');
    stage.ask(['deep', 'fast']);
    const second = ticket(stage.ask(['fast', 'deep']));
    expect(second.host).toBe('wintermute');
    expect(ticket(stage.ask(['fast'])).host).toBe('armitage');
  });
});

describe('a wake that fails', () => {
  it('names its phase and what explains it, and leaves the host alone for a while', async () => {
    open().sleeping('wintermute', {}, null);
    stage.ask(['deep']);
    await stage.advance(300_000);
    const wake = stage.wakes.find('wake-1');
    expect(wake).toMatchObject({ outcome: 'failed', failedPhase: 'answers', fromState: 'unknown' });
    expect(wake?.detail).toMatch(/wintermute: nothing was heard of it: not within 300 s .*without power/);
    expect(stage.power('wintermute')).toMatchObject({ state: 'offline', flight: null });
    expect(refusal(stage.ask(['deep']))).toMatch(/nothing was heard of it.*tried again in 10 min/);
    await stage.advance(601_000);
    expect(ticket(stage.ask(['deep'])).wakeId).toBe('wake-2');
  });

  it('moves those who still wait to the next host, and nobody who has left', async () => {
    open().sleeping('armitage');
    stage.sleeping('wintermute');
    const stays = ticket(stage.ask(['fast', 'deep']));
    const leaves = ticket(stage.ask(['fast', 'deep']));
    expect(stays.host).toBe('armitage');
    leaves.leave();
    await stage.advance(101_000);
    expect(stays.host).toBe('wintermute');
    expect(leaves.host).toBe('armitage');
    expect(stage.power('wintermute')?.flight).toMatchObject({ wakeId: 'wake-2', waiters: 1 });
  });

  it('tries no other host when all have left', async () => {
    open().sleeping('armitage');
    stage.sleeping('wintermute');
    ticket(stage.ask(['fast', 'deep'])).leave();
    await stage.advance(101_000);
    expect(stage.wakes.find('wake-1')?.outcome).toBe('failed');
    expect(stage.wakes.gauges()).toMatchObject({ underWay: 0, waiters: 0 });
  });

  it('wakes a second host for who cannot wait until the first has fetched its weights', async () => {
    open().sleeping('wintermute');
    stage.sleeping('armitage');
    const both = { withinMs: 250_000 };
    const first = ticket(stage.ask(['deep', 'fast'], both));
    expect(first).toMatchObject({ host: 'wintermute', isInTime: true });
    await stage.advance(20_000);
    stage.link('wintermute');
    fetches('wintermute', 'deep');
    await settle();
    expect(ticket(stage.ask(['deep', 'fast'], { withinMs: 2_000_000 }))).toMatchObject({ wakeId: 'wake-1' });
    expect(ticket(stage.ask(['deep', 'fast'], { withinMs: 100_000 }))).toMatchObject({
      ...{ wakeId: 'wake-1', isInTime: false },
    });
    expect(ticket(stage.ask(['deep']))).toMatchObject({ wakeId: 'wake-1', isInTime: false });
    expect(stage.begunWakes).toBe(1);
    const second = ticket(stage.ask(['deep', 'fast'], both));
    expect(second).toMatchObject({ host: 'armitage', wakeId: 'wake-2', isInTime: true });
    expect(ticket(stage.ask(['deep', 'fast'], both))).toMatchObject({ wakeId: 'wake-2', isInTime: true });
    await wakeUp('armitage', { fast: 'ready' });
    expect(stage.wakes.find('wake-2')?.outcome).toBe('ready');
    await stage.advance(200_000);
    stage.report('wintermute', { deep: 'ready' });
    await settle();
    expect(stage.wakes.find('wake-1')).toMatchObject({
      ...{ outcome: 'ready', phases: { model_ready: 220_000, 'fetched:deep': 220_000 } },
    });
    expect(stage.power('wintermute')?.readySeconds).toEqual({ deep: 110 });
  });

  it('tries the next host once for all that were answered elsewhere meanwhile', async () => {
    open().sleeping('armitage');
    stage.sleeping('wintermute');
    for (let each = 0; each < 5; each += 1) stage.ask(['fast', 'deep'], { isHeld: false });
    await stage.advance(101_000);
    expect(stage.power('wintermute')?.flight).toMatchObject({ wakeId: 'wake-2', waiters: 0 });
  });

  it('tries each host once for those who were answered elsewhere, however soon each may be tried again', async () => {
    const hasty = 'wake: { timeoutSeconds: 100, cooldownMinutes: 1 }';
    open(
      FABRIC.replace('wintermute: { mayBeAway: true }', `wintermute: { mayBeAway: true, ${hasty} }`).replace(
        'wake: { timeoutSeconds: 100 }',
        hasty,
      ),
    ).sleeping('armitage');
    stage.sleeping('wintermute');
    stage.ask(['fast', 'deep'], { isHeld: false });
    await stage.advance(500_000);
    expect(stage.wakes.gauges()).toMatchObject({ underWay: 0, ended: [{ outcome: 'failed', count: 2 }] });
  });

  it.each([
    ['answers', true, /the machine answers, and its agent did not come back/, 'agent_back'],
    ['does not answer', false, /nothing was heard of it/, 'answers'],
  ])('of a machine that %s says so', async (_, answers, told, phase) => {
    open().answers = answers;
    stage.sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(301_000);
    expect(stage.wakes.find('wake-1')).toMatchObject({ failedPhase: phase });
    expect(stage.wakes.find('wake-1')?.detail).toMatch(told);
  });

  it('at the login screen ends at once', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(20_000);
    stage.link('wintermute');
    stage.report('wintermute', { deep: 'failed' }, 'sign_in_needed');
    await settle();
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'failed', failedPhase: 'engine_up' });
  });

  it('because the machine went to sleep again says after how long', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(20_000);
    stage.link('wintermute');
    await stage.advance(9_000);
    stage.leave('wintermute', 'suspend');
    expect(stage.wakes.find('wake-1')?.detail).toMatch(/went to sleep again by itself, 9 s after/);
  });
});

describe('packets', () => {
  it('go through two awake neighbours of another LAN, and through another where one fails', async () => {
    open(`
version: 1
hosts: { r1: {}, r2: {}, r3: {}, elsewhere: {}, wintermute: { mayBeAway: true } }
deployments: { deep: ${deployment('wintermute')} }
`);
    const lan = { gatewayMac: 'aa:aa:aa:aa:aa:02' };
    for (const [index, name] of ['r1', 'r2', 'r3'].entries()) {
      stage.link(name, { interfaces: [wired(`52:54:00:00:01:0${index}`, `10.0.0.${index + 2}/24`, lan)] });
    }
    stage.link('elsewhere', { interfaces: [wired('52:54:00:00:02:01', '10.9.0.2/24')] });
    stage.sleeping('wintermute', { interfaces: [wired('52:54:00:00:03:01', '10.0.0.9/24', lan)] });
    stage.answer = (host) =>
      host === 'r1' ? null : Promise.resolve({ result: 'done', code: null, detail: null });
    await stage.advance(600);
    stage.ask(['deep']);
    await settle();
    expect(stage.packets).toEqual([]);
    expect(stage.commands.map(({ host }) => host)).toEqual(['r1', 'r2', 'r3']);
    expect(stage.commands[1]?.command).toEqual({
      name: 'send_magic_packets',
      order: {
        wakeId: 'wake-1',
        macs: ['52:54:00:00:03:01'],
        gatewayMac: 'aa:aa:aa:aa:aa:02',
        addresses: ['10.0.0.9'],
        ports: [9],
      },
    });
    expect(stage.power('wintermute')?.flight?.phase).toBe('packet_sent');
  });

  it('that nobody could send fail the wake with the last reason', async () => {
    open().sleeping('wintermute');
    stage.sent = { isOut: false, notes: ['lan0 (192.168.1.5): network is down'] };
    stage.ask(['deep']);
    await stage.advance(81_000);
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'failed', failedPhase: 'packet_sent' });
    expect(stage.wakes.find('wake-1')?.detail).toMatch(/no packet left: lan0 .* network is down/);
  });
});

describe('an operator', () => {
  const QUIET = FABRIC.replace(
    'wintermute: { mayBeAway: true }',
    "wintermute: { mayBeAway: true, timeZone: UTC, wake: { quietHours: [{ from: '00:00', to: '00:00' }] } }",
  );

  it('wakes a host in its quiet hours, which a request does not', async () => {
    open(QUIET).sleeping('wintermute');
    expect(refusal(stage.ask(['deep']))).toMatch(/wintermute: it has its quiet hours, for/);
    expect(stage.wakes.wakeHost('wintermute', 'operator')).toMatchObject({ kind: 'started' });
    expect(ticket(stage.ask(['deep'])).wakeId).toBe('wake-1');
    await wakeUp('wintermute', { deep: 'ready' });
    expect(stage.wakes.find('wake-1')?.outcome).toBe('ready');
  });

  it('joins the wake that a request began', async () => {
    open().sleeping('wintermute');
    const seat = ticket(stage.ask(['deep']));
    const asked = stage.wakes.wakeHost('wintermute', 'operator');
    expect(asked).toMatchObject({ kind: 'joined', flight: { order: { wakeId: seat.wakeId } } });
  });

  it.each([
    ['motoko', 'already_awake', /is awake/],
    ['wintermute', 'not_wakeable', /never joined/],
    ['armitage', 'not_wakeable', /no network interface/],
  ] as const)('is refused for %s: %s', async (host, code, detail) => {
    open().link('motoko');
    stage.sleeping('armitage', { interfaces: [] });
    const asked = stage.wakes.wakeHost(host, 'operator');
    expect(asked).toMatchObject({ kind: 'refused', code });
    expect(asked.kind === 'refused' ? asked.detail : '').toMatch(detail);
  });

  it('may try a host that a request does not wake, because arming may be read wrongly', async () => {
    const disarmed = wired('52:54:00:00:00:09', '192.168.1.30/24', {
      wake: { supported: true, armed: false, detail: 'Wake-on: d' },
    });
    open().sleeping('wintermute', { interfaces: [disarmed] });
    expect(refusal(stage.ask(['deep']))).toMatch(/wake on magic packet is off at eth0 \(Wake-on: d\)/);
    expect(stage.wakes.wakeHost('wintermute', 'operator').kind).toBe('started');
  });

  it('of a host without deployments is served when its agent is back', async () => {
    open().sleeping('motoko');
    stage.wakes.wakeHost('motoko', 'operator');
    await stage.advance(5_000);
    stage.link('motoko');
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'ready', phases: { agent_back: 5_000 } });
  });
});

describe('what is kept', () => {
  it('is each wake, from its beginning to its end, the proof, and how the host came and went', async () => {
    open().sleeping('wintermute');
    await settle();
    stage.ask(['deep']);
    await stage.advance(3_000);
    await wakeUp('wintermute', { deep: 'ready' });
    const kinds = stage.saved.map((each) => each.kind);
    expect(kinds).toContain('wakeProof');
    expect(stage.saved.findLast((each) => each.kind === 'wake')).toMatchObject({
      hostId: 'id-wintermute',
      wake: {
        outcome: 'ready',
        keyId: 'key-1',
        role: 'chat',
        deployment: 'deep',
        endedAtMs: expect.any(Number),
      },
    });
    const states = stage.saved
      .filter((each) => each.kind === 'powerEvent')
      .map(({ state, cause }) => [state, cause]);
    expect(states).toEqual([
      ['asleep', 'suspend'],
      ['waking', 'request'],
      ['online', null],
    ]);
  });

  it('proves no power-off by a request: somebody may have signed in', async () => {
    open().sleeping('wintermute', {}, 'shutdown');
    stage.ask(['deep']);
    await stage.advance(3_000);
    await wakeUp('wintermute', { deep: 'ready' });
    expect(stage.saved.some((each) => each.kind === 'wakeProof')).toBe(false);
    stage.leave('wintermute', 'shutdown');
    stage.wakes.wakeHost('wintermute', 'rehearsal');
    await stage.advance(3_000);
    await wakeUp('wintermute', { deep: 'ready' });
    expect(stage.saved.findLast((each) => each.kind === 'wakeProof')).toMatchObject({
      fromState: 'poweroff',
    });
  });

  it('is that a stop of the control plane cut a wake off', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    stage.close();
    expect(stage.saved.findLast((each) => each.kind === 'wake')).toMatchObject({
      wake: { outcome: 'cancelled', detail: 'the control plane stops' },
    });
  });
});
