import { describe, expect, it } from 'vitest';
import { parseFabricText } from '../../declared/parse-fabric-text.js';
import type { PowerHistory, WakeStretch } from '../../registry/power-types.js';
import { reckonPower } from './reckon-power.js';

const FABRIC = `
version: 1
tariff: { pricePerKilowattHour: 0.3, currency: EUR }
hosts:
  wintermute: { energy: { baseWatts: 100, asleepWatts: 2 } }
  armitage: {}
deployments:
  deep: { host: wintermute, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }
providers:
  cloud:
    baseUrl: https://cloud.example/v1
    apiKey: { env: CLOUD_KEY }
    models:
      large: { task: chat, model: L, price: { inputPerMillionTokens: 2, outputPerMillionTokens: 10 } }
roles:
  chat-deep: { task: chat, targets: [{ deployment: deep }, { provider: cloud, model: large }] }
  local: { task: chat, targets: [{ deployment: deep }] }
`;
const parsed = parseFabricText(FABRIC, 'fabric.yaml');
const declared = () => {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.state;
};
const HOUR_MS = 3_600_000;
const range = { fromMs: 0, toMs: 100 * HOUR_MS };

function stretch(more: Partial<WakeStretch['wake']> = {}): WakeStretch {
  return {
    wake: {
      ...{ wakeId: 'w', host: 'wintermute', askedAtMs: 0, askedBy: 'request', keyId: 'k', role: 'chat-deep' },
      ...{ deployment: 'deep', fromState: 'suspend', outcome: 'ready', failedPhase: null, detail: null },
      ...{ phases: { agent_back: 0, model_ready: 40_000 }, endedAtMs: 40_000, waiters: 1 },
      ...more,
    },
    awakeUntilMs: 2 * HOUR_MS,
    requests: { count: 3, promptTokens: 1_000_000, completionTokens: 100_000 },
  };
}

const use = [
  { host: 'armitage', awakeSeconds: 3_600, asleepSeconds: 0, cardJoules: 3_600_000 },
  // 200 W of its cards, for ten hours.
  { host: 'wintermute', awakeSeconds: 36_000, asleepSeconds: 36_000, cardJoules: 7_200_000 },
];
const report = (more: Partial<PowerHistory> = {}) =>
  reckonPower({ use, wakes: [stretch()], events: [], ...more }, declared(), range, 3 * HOUR_MS);

describe('a report of power', () => {
  it('has energy and cost of each host, and none where nothing is declared', () => {
    const { hosts, currency } = report();
    expect(currency).toBe('EUR');
    expect(hosts[0]).toMatchObject({
      host: 'armitage',
      cardKilowattHours: 1,
      kilowattHours: null,
      cost: null,
    });
    expect(hosts[1]?.kilowattHours).toBeCloseTo(2 + 1 + 0.02, 9);
    expect(hosts[1]?.cost).toBeCloseTo(3.02 * 0.3, 9);
  });

  it('says of a wake how long, what it cost, and what the cloud would have taken', () => {
    const [wake] = report().wakes;
    expect(wake).toMatchObject({ awakeSeconds: 7_200, cloudTarget: 'cloud/large', cloudCost: 3 });
    expect(wake?.kilowattHours).toBeCloseTo(0.6, 9);
    expect(wake?.cost).toBeCloseTo(0.18, 9);
  });

  it('counts a host that is still awake until now, and one that never came not at all', () => {
    const [awake, failed] = report({
      wakes: [{ ...stretch(), awakeUntilMs: null }, stretch({ outcome: 'failed', phases: {} })],
    }).wakes;
    expect(awake?.awakeSeconds).toBe(10_800);
    expect(failed?.awakeSeconds).toBe(0);
  });

  it.each([null, 'local', 'gone'])('has no price of the cloud where no role names one: %s', (role) => {
    expect(report({ wakes: [stretch({ role })] }).wakes[0]).toMatchObject({
      ...{ cloudCost: null, cloudTarget: null },
    });
  });

  it('knows no energy of a wake whose host told nothing', () => {
    expect(report({ use: [] }).wakes[0]).toMatchObject({ kilowattHours: null, cost: null });
  });
});
