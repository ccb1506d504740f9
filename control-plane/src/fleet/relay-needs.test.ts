import { afterEach, describe, expect, it } from 'vitest';
import { FleetStage, settle, wired } from './testing/fleet-stage.js';

const FABRIC = `
version: 1
hosts:
  wintermute: { mayBeAway: true }
  armitage: { mayBeAway: true }
  molly: { mayBeAway: true }
  motoko: {}
deployments: {}
`;
/** Another LAN than the control plane's. */
const far = (last: number) =>
  wired(`52:54:00:00:02:${last}`, `10.1.2.${last}/24`, { gatewayMac: 'aa:aa:aa:aa:aa:02' });
const POWER = {
  ...{ verbs: ['suspend', 'poweroff'] as const, sleepStates: ['mem'] },
  ...{ modernStandby: null, fastStartup: null, onBattery: false },
};

let stage: FleetStage;
afterEach(() => stage.close());

/** `wintermute` sleeps on a LAN of its own with those that are awake. */
async function open(...awake: readonly string[]): Promise<void> {
  stage = new FleetStage(FABRIC);
  awake.forEach((name, index) => {
    stage.link(name, { interfaces: [far(30 + index)], power: { ...POWER, verbs: [...POWER.verbs] } });
  });
  stage.sleeping('wintermute', { interfaces: [far(20)] });
  await stage.advance(1_000);
}

const ask = (host: string, despiteGuards = false) =>
  stage.fleet.sleeps.begin({ host, action: 'suspend', askedBy: 'operator', reason: 'test', despiteGuards });

describe('the last host awake on a LAN where others sleep', () => {
  it('stays, and says for whom; an operator may insist', async () => {
    await open('armitage');
    expect(ask('armitage')).toMatchObject({ kind: 'refused', code: 'last_relay', mayBeForced: true });
    expect(ask('armitage')).toMatchObject({ detail: expect.stringContaining('could wake wintermute') });
    expect(ask('armitage', true)).toMatchObject({ kind: 'begun' });
  });

  it('may go while another stays, and that one then is the last', async () => {
    await open('armitage', 'molly');
    expect(ask('armitage')).toMatchObject({ kind: 'begun' });
    // On its way it counts as gone already.
    expect(ask('molly')).toMatchObject({ kind: 'refused', code: 'last_relay' });
    stage.leave('armitage', 'suspend');
    await stage.advance(1_000);
    expect(ask('molly')).toMatchObject({ kind: 'refused', code: 'last_relay' });
    stage.link('armitage', { interfaces: [far(30)] });
    await stage.advance(1_000);
    expect(ask('molly')).toMatchObject({ kind: 'begun' });
  });

  it('may go once nobody sleeps there any more', async () => {
    await open('armitage');
    stage.link('wintermute', { interfaces: [far(20)] });
    await stage.advance(1_000);
    expect(ask('armitage')).toMatchObject({ kind: 'begun' });
  });

  it('may go where who sleeps there is revoked, or gone', async () => {
    await open('armitage');
    stage.live.setRevoked('wintermute', stage.clock.nowMs());
    await stage.advance(1_000);
    expect(ask('armitage')).toMatchObject({ kind: 'begun' });
  });

  it('may go where the control plane is on that LAN itself', async () => {
    stage = new FleetStage(FABRIC);
    const near = (last: number) => wired(`52:54:00:00:01:${last}`, `192.168.1.${last}/24`);
    stage.link('armitage', { interfaces: [near(30)], power: { ...POWER, verbs: [...POWER.verbs] } });
    stage.sleeping('wintermute', { interfaces: [near(20)] });
    await settle();
    expect(ask('armitage')).toMatchObject({ kind: 'begun' });
  });

  it('may give up its cards all the same', async () => {
    await open('armitage');
    const parked = stage.fleet.sleeps.begin({
      ...{ host: 'armitage', action: 'container-only', askedBy: 'operator' },
      ...{ reason: 'test', despiteGuards: false },
    });
    expect(parked).toMatchObject({ kind: 'begun' });
  });
});
