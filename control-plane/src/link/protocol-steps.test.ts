import { type Report, UPGRADE_PROTOCOL_VERSION } from '@ai-fabric/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { inventory, sampleOf, statusOf } from '../live/testing/live-fixtures.js';
import { signedHello } from './testing/agent-keys.js';
import type { FakeLinkSocket } from './testing/fake-link-socket.js';
import { CERTIFICATE, LinkStage } from './testing/link-stage.js';

let stage: LinkStage;
beforeEach(() => {
  stage = new LinkStage();
});

const COMMIT = 'e6557cc0d1f2a3b4c5d6e7f8091a2b3c4d5e6f70';
/** Fields that a step after the newest one of this program would bring. */
const LATER = { ofALaterStep: { deep: [1] } };

/** Links, and reports once, with `more` in either frame. */
function linkAndReport(protocolVersion: number, hello: object, report: object): FakeLinkSocket {
  const socket = stage.dial();
  const nonce = socket.of('challenge')[0]?.nonce ?? '';
  const proven = signedHello(stage.key, nonce, CERTIFICATE, { protocolVersion });
  say(socket, 'hello', { ...proven, ...hello });
  const body: Report = {
    seq: 1,
    inventory,
    replicas: [statusOf('chat')],
    telemetry: [sampleOf(stage.clock.nowMs(), { chat: 2 })],
  };
  say(socket, 'report', { ...body, ...report });
  stage.clock.advance(1_500);
  return socket;
}

function say(socket: FakeLinkSocket, type: string, body: object): void {
  socket.saysText(JSON.stringify({ id: 'a1', type, sentAtMs: stage.clock.nowMs(), body }));
}

describe('an agent of another protocol step', () => {
  it.each([
    ['one step older', UPGRADE_PROTOCOL_VERSION - 1, {}, {}],
    ['of this step', UPGRADE_PROTOCOL_VERSION, { commit: COMMIT, packaged: true }, { upgrade: null }],
    ['one step newer', UPGRADE_PROTOCOL_VERSION + 1, { commit: COMMIT, packaged: true, ...LATER }, LATER],
  ])('%s links, is told what to keep, and is believed', (_what, protocolVersion, hello, report) => {
    const socket = linkAndReport(protocolVersion, hello, report);
    expect(socket.closedWith).toBeNull();
    expect(socket.of('welcome')).toHaveLength(1);
    const names = socket.of('command').map(({ command }) => command.name);
    expect(names).toEqual(['apply_desired', 'apply_yield_settings']);
    expect(socket.of('ack').at(-1)).toEqual({ seq: 1 });
    expect(stage.live.host('motoko')).toMatchObject({ presence: 'online', inventory, protocolVersion });
    expect(stage.live.replica('chat')).toMatchObject({ status: { phase: 'ready' }, reading: { running: 2 } });
  });

  it('tells what it was built from, or nothing of it', () => {
    linkAndReport(UPGRADE_PROTOCOL_VERSION, { commit: COMMIT, packaged: true }, {});
    expect(stage.live.host('motoko')).toMatchObject({ agentCommit: COMMIT, agentPackaged: true });
    linkAndReport(UPGRADE_PROTOCOL_VERSION - 1, {}, {});
    expect(stage.live.host('motoko')).toMatchObject({ agentCommit: null, agentPackaged: null });
  });
});

describe('the upgrade of an agent', () => {
  const upgrade = { phase: 'offered', version: '0.2.0', detail: 'its owner is to say yes' } as const;

  it('is shown as it was told last, and acknowledged', () => {
    const socket = linkAndReport(UPGRADE_PROTOCOL_VERSION, {}, { upgrade });
    expect(stage.live.host('motoko')?.upgrade).toEqual(upgrade);
    stage.reports(socket, 2, { upgrade: null });
    stage.clock.advance(1_500);
    expect(stage.live.host('motoko')?.upgrade).toBeNull();
    expect(socket.of('ack').at(-1)).toEqual({ seq: 2 });
  });

  it('is not known any more on another link, until it is told again', () => {
    linkAndReport(UPGRADE_PROTOCOL_VERSION, {}, { upgrade }).end();
    stage.link({ instanceId: 'instance-2' });
    expect(stage.live.host('motoko')?.upgrade).toBeNull();
  });

  it('is news only when it changed', () => {
    const socket = linkAndReport(UPGRADE_PROTOCOL_VERSION, {}, { upgrade });
    let told = 0;
    stage.live.onChange(({ kind }) => {
      if (kind === 'host') told += 1;
    });
    stage.reports(socket, 2, { upgrade });
    expect(told).toBe(0);
    stage.reports(socket, 3, { upgrade: { ...upgrade, phase: 'fetching' } });
    expect(told).toBe(1);
  });
});
