import type { OwnYield, YieldSettings } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { mergeYieldSettings } from './merge-yield-settings.js';

const told: YieldSettings = {
  ...{ automatic: true, drainSeconds: 10, action: 'stop', quietSeconds: 300 },
  ...{ vramBytes: 1.5e9, utilisationRatio: 0.3 },
};

describe('how a host yields', () => {
  it.each<[OwnYield, Partial<YieldSettings>]>([
    [{}, {}],
    [{ automatic: false }, { automatic: false }],
    [{ drainSeconds: 0 }, { drainSeconds: 0 }],
    [{ action: 'park' }, { action: 'park' }],
    [{ quietMinutes: 0.5 }, { quietSeconds: 30 }],
    [{ vramGigabytes: 0 }, { vramBytes: 0 }],
    [{ vramGigabytes: 4 }, { vramBytes: 4e9 }],
    [{ utilisationRatio: 0 }, { utilisationRatio: 0 }],
  ])('is as its owner says, and else as declared: %j', (own, changed) => {
    expect(mergeYieldSettings(told, own)).toEqual({ ...told, ...changed });
  });
});
