import { afterEach, describe, expect, it } from 'vitest';
import type { SleepDesk, SleepEnd } from './sleep-desk.js';
import { FleetStage, settle } from './testing/fleet-stage.js';

const deployment = (host: string) =>
  `{ host: ${host}, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }`;

const FABRIC = `
version: 1
hosts: { wintermute: { mayBeAway: true, wake: { minimumUpMinutes: 5 } }, bare: {} }
deployments: { deep: ${deployment('wintermute')} }
`;

/** Does as the test says. */
class FakeSleepDesk implements SleepDesk {
  readonly asked: string[] = [];
  end: SleepEnd = { kind: 'asleep', action: 'suspend' };
  parked = false;
  staysAwake = true;
  unparkProblem: string | null = null;
  onSleep: () => void = () => undefined;

  sleep: SleepDesk['sleep'] = ({ host, action, askedBy }) => {
    this.asked.push(`${host} ${action ?? 'as declared'} ${askedBy}`);
    this.onSleep();
    return Promise.resolve(this.end);
  };
  isParked = () => this.parked;
  isGoing = () => false;
  unpark = () => {
    this.asked.push('unpark');
    this.parked = false;
    return Promise.resolve(this.unparkProblem);
  };
  callBack = () => this.staysAwake;
}

let stage: FleetStage;
let desk: FakeSleepDesk;

function open(): FleetStage {
  desk = new FakeSleepDesk();
  stage = new FleetStage(FABRIC, {}, desk);
  return stage;
}

afterEach(() => stage.close());

async function comeBack(host: string, replicas: Record<string, 'ready'>): Promise<void> {
  stage.link(host);
  await settle();
  stage.report(host, replicas);
  await settle();
}

describe('a rehearsal', () => {
  const ask = { host: 'wintermute', action: null, despiteGuards: false };

  it('puts to sleep, lets it lie down, wakes it, and keeps the proof of a token', async () => {
    open().link('wintermute');
    desk.onSleep = () => stage.leave('wintermute', 'suspend');
    expect(stage.fleet.rehearsals.begin(ask)).toMatchObject({ phase: 'sleeping', outcome: null });
    expect(stage.fleet.rehearsals.begin(ask).startedAtMs).toBe(stage.clock.nowMs());
    await settle();
    expect(desk.asked).toEqual(['wintermute as declared rehearsal']);
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({
      phase: 'lying_down',
      action: 'suspend',
    });
    await stage.advance(14_000);
    expect(stage.packets).toEqual([]);
    await stage.advance(1_000);
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({ phase: 'waking', wakeId: 'wake-1' });
    await comeBack('wintermute', { deep: 'ready' });
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({ phase: 'done', outcome: 'proven' });
    expect(stage.saved.find((each) => each.kind === 'wakeProof')).toMatchObject({
      hostId: 'id-wintermute',
      fromState: 'suspend',
      wakeId: 'wake-1',
    });
  });

  it('wakes nobody when the control plane has stopped meanwhile', async () => {
    open().link('wintermute');
    desk.onSleep = () => stage.leave('wintermute', 'suspend');
    stage.fleet.rehearsals.begin(ask);
    await settle();
    stage.close();
    await settle();
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({
      ...{ outcome: 'failed', detail: 'the control plane stops' },
    });
    await stage.advance(20_000);
    expect(stage.packets).toEqual([]);
  });

  it.each<[SleepEnd, string, string]>([
    [
      { kind: 'refused', code: 'owner_present', detail: 'somebody is there', mayBeForced: true },
      'refused',
      'owner_present',
    ],
    [{ kind: 'failed', code: 'not_permitted', detail: 'polkit says no' }, 'failed', 'not_permitted'],
  ])('that cannot put it to sleep ends with why: %j', async (end, outcome, code) => {
    open().link('wintermute');
    desk.end = end;
    stage.fleet.rehearsals.begin(ask);
    await settle();
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({ phase: 'done', outcome, code });
    expect(stage.packets).toEqual([]);
  });

  it('whose host does not come back says at which phase it was lost', async () => {
    open().link('wintermute');
    desk.onSleep = () => stage.leave('wintermute', 'suspend');
    stage.fleet.rehearsals.begin(ask);
    await settle();
    await stage.advance(320_000);
    expect(stage.fleet.rehearsals.find('wintermute')).toMatchObject({ outcome: 'failed', code: 'timeout' });
    expect(stage.saved.some((each) => each.kind === 'wakeProof')).toBe(false);
  });

  it('of a host on which nothing runs proves nothing', async () => {
    open().link('bare');
    desk.onSleep = () => stage.leave('bare', 'suspend');
    stage.fleet.rehearsals.begin({ ...ask, host: 'bare' });
    await settle();
    await stage.advance(16_000);
    stage.link('bare');
    await settle();
    expect(stage.fleet.rehearsals.find('bare')).toMatchObject({ outcome: 'failed', code: 'no_token' });
    expect(stage.saved.some((each) => each.kind === 'wakeProof')).toBe(false);
  });
});

describe('a host that is on with parked engines', () => {
  it('is asleep to those who ask, and is woken by unparking, without a packet', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'parked' });
    desk.parked = true;
    stage.fleet.board.touch('wintermute');
    await settle();
    expect(stage.power('wintermute')).toMatchObject({
      state: 'asleep',
      wakeability: { kind: 'yes', proven: true },
      readySeconds: { deep: 15 },
    });
    expect('refused' in stage.ask(['deep'])).toBe(false);
    await stage.advance(7_000);
    stage.report('wintermute', { deep: 'ready' });
    await settle();
    expect(desk.asked).toEqual(['unpark']);
    expect(stage.packets).toEqual([]);
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'ready', fromState: 'parked' });
    expect(stage.saved.some((each) => each.kind === 'wakeProof')).toBe(false);
    // What is usual of this is not what is usual of a wake.
    expect(stage.power('wintermute')).toMatchObject({ state: 'online', readySeconds: { deep: 135 } });
  });

  it('that does not come back says why', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'parked' });
    desk.parked = true;
    desk.unparkProblem = 'the host has no link';
    stage.ask(['deep']);
    await settle();
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'failed' });
    expect(stage.wakes.find('wake-1')?.detail).toMatch(/the host has no link/);
  });
});

describe('a host that is being put to sleep', () => {
  const going = { action: 'suspend', phase: 'going', sinceMs: 0, reason: 'idle' } as const;

  it('is called back where that can still be', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'ready' });
    stage.fleet.board.goesToSleep('wintermute', { ...going, phase: 'draining' });
    await settle();
    stage.ask(['deep']);
    expect(stage.wakes.find('wake-1')?.outcome).toBe('ready');
    expect(stage.packets).toEqual([]);
  });

  it('is else called when it is gone, not before', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'ready' });
    desk.staysAwake = false;
    stage.fleet.board.goesToSleep('wintermute', going);
    await settle();
    stage.ask(['deep']);
    await stage.advance(3_000);
    expect(stage.packets).toEqual([]);
    expect(stage.wakes.find('wake-1')?.outcome).toBeNull();
    stage.leave('wintermute', 'suspend');
    await settle();
    expect(stage.packets).toHaveLength(1);
    stage.fleet.board.wentToSleep('wintermute');
    await stage.advance(5_000);
    await comeBack('wintermute', { deep: 'ready' });
    expect(stage.wakes.find('wake-1')?.outcome).toBe('ready');
  });

  it('serves whoever waits where it stays after all', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'ready' });
    desk.staysAwake = false;
    stage.fleet.board.goesToSleep('wintermute', going);
    await settle();
    stage.ask(['deep']);
    stage.fleet.board.wentToSleep('wintermute');
    await settle();
    expect(stage.wakes.find('wake-1')?.outcome).toBe('ready');
  });
});

describe('leases', () => {
  const holds = () =>
    stage.commands.flatMap(({ host, command, atMs }) =>
      command.name === 'hold_awake' ? [[host, command.seconds, atMs]] : [],
    );

  it('are renewed while requests run, and taken back once nobody needs it', async () => {
    open().link('wintermute');
    await stage.advance(60_000);
    expect(holds()).toEqual([]);
    stage.running.set('deep', 2);
    await stage.advance(60_000);
    stage.running.delete('deep');
    await stage.advance(180_000);
    expect(holds()).toEqual([
      ['wintermute', 180, 90_000],
      ['wintermute', 180, 120_000],
      ['wintermute', 180, 150_000],
      ['wintermute', 180, 180_000],
      ['wintermute', 180, 210_000],
      ['wintermute', 0, 240_000],
    ]);
  });

  it('are renewed while something is fetched there, also where no wake is waited for any more', async () => {
    open().link('wintermute');
    stage.report('wintermute', { deep: 'pulling' });
    await stage.advance(60_000);
    stage.report('wintermute', { deep: 'ready' });
    await stage.advance(60_000);
    expect(holds()).toEqual([
      ['wintermute', 180, 30_000],
      ['wintermute', 180, 60_000],
      ['wintermute', 0, 90_000],
    ]);
  });

  it('last after a wake for as long as it is to stay up', async () => {
    open().sleeping('wintermute');
    stage.ask(['deep']);
    await stage.advance(10_000);
    await comeBack('wintermute', { deep: 'ready' });
    await stage.advance(400_000);
    const times = holds();
    expect(times[0]).toEqual(['wintermute', 600, 10_000]);
    expect(times.at(-1)).toEqual(['wintermute', 0, 330_000]);
  });

  it('are not asked of an agent that knows of none', async () => {
    open().protocol = 4;
    stage.link('wintermute');
    stage.running.set('deep', 1);
    await stage.advance(60_000);
    expect(holds()).toEqual([]);
  });
});
