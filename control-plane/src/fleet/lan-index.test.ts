import type { NetworkInterface } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { FleetStage, wired } from './testing/fleet-stage.js';

const FABRIC = `
version: 1
hosts: { wintermute: { mayBeAway: true }, case: { mayBeAway: true } }
deployments: {}
`;
const MAC = '52:54:00:00:aa:01';
const card: NetworkInterface = wired(MAC, '192.168.1.20/24');

describe('who has a MAC', () => {
  it('is not told by hosts that were revoked: mostly they are the same machine by an older name', () => {
    const stage = new FleetStage(FABRIC);
    try {
      stage.sleeping('case', { interfaces: [card] });
      stage.sleeping('wintermute', { interfaces: [card] });
      const wakeability = () => {
        const host = stage.live.host('wintermute');
        if (host === undefined) throw new Error('it is declared');
        return stage.fleet.board.freshStandingOf(host).wakeability;
      };
      expect(wakeability()).toMatchObject({ kind: 'no', reason: 'mac_shared' });
      stage.live.setRevoked('case', stage.clock.nowMs());
      expect(wakeability()).toMatchObject({ kind: 'yes' });
    } finally {
      stage.close();
    }
  });
});
