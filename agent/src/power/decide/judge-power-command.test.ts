import { describe, expect, it } from 'vitest';
import { judgePowerCommand, type PowerMoment } from './judge-power-command.js';

const moment: PowerMoment = {
  allowed: ['suspend', 'poweroff'],
  bootId: 'boot-2',
  linkStands: true,
  isBusy: false,
};
const suspend = { verb: 'suspend', bootId: 'boot-2' } as const;

describe('a power command', () => {
  it('of this boot and this link that the owner allows is done', () => {
    expect(judgePowerCommand(suspend, moment)).toBeNull();
  });

  it('of yesterday’s boot does not end today’s', () => {
    const stale = { verb: 'poweroff', bootId: 'boot-1' } as const;
    expect(judgePowerCommand(stale, moment)).toMatchObject({ code: 'void_on_new_boot' });
  });

  it('is void when its link is gone', () => {
    expect(judgePowerCommand(suspend, { ...moment, linkStands: false })).toMatchObject({
      code: 'void_on_new_link',
    });
  });

  it.each(['hibernate', 'reboot'] as const)('that the owner does not allow is refused: %s', (verb) => {
    const refusal = judgePowerCommand({ verb, bootId: 'boot-2' }, moment);
    expect(refusal).toMatchObject({ code: 'policy_refused' });
    expect(refusal?.detail).toContain('suspend, poweroff');
    expect(judgePowerCommand(suspend, { ...moment, allowed: [] })?.detail).toContain('allows nothing');
  });

  it('is refused while another is under way', () => {
    expect(judgePowerCommand(suspend, { ...moment, isBusy: true })).toMatchObject({
      code: 'power_under_way',
    });
  });
});
