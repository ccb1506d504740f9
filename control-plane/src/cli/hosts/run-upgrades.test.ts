import { describe, expect, test } from 'vitest';
import {
  agentText,
  runUpgrades,
  type UpgradableHost,
  type UpgradePort,
  type UpgradeRow,
} from './run-upgrades.js';

const hostOf = (name: string, more: Partial<UpgradableHost> = {}): UpgradableHost => ({
  ...{ name, agentVersion: '0.1.0', newerAgent: '0.2.0', presence: 'online', upgrade: null },
  ...{ tunnelUp: true, issues: [] },
  ...more,
});
const upgraded = (name: string) => hostOf(name, { agentVersion: '0.2.0', newerAgent: null });

/** Hosts that take every offer, and run it at the second look, unless a test says otherwise. */
class Fleet implements UpgradePort {
  readonly did: string[] = [];
  readonly answers: Record<string, Partial<UpgradeRow>> = {};
  readonly seen: Record<string, UpgradableHost[]> = {};
  #nowMs = 0;

  async offer({ name, agentVersion }: UpgradableHost): Promise<Omit<UpgradeRow, 'proven'>> {
    this.did.push(`offer ${name}`);
    const usual = {
      host: name,
      from: agentVersion,
      version: '0.2.0',
      answer: 'done',
      code: null,
      detail: null,
    } as const;
    return { ...usual, ...this.answers[name] };
  }

  async look(name: string): Promise<UpgradableHost> {
    this.seen[name] ??= [hostOf(name), upgraded(name)];
    const [next, ...later] = this.seen[name];
    if (later.length > 0) this.seen[name] = later;
    const host = next ?? hostOf(name);
    this.did.push(`${name} runs ${host.agentVersion}`);
    return host;
  }

  async pause(): Promise<void> {
    this.#nowMs += 1_000;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  tell(): void {}
}

const hosts = ['a', 'b', 'c'].map((name) => hostOf(name));
const order = { hosts, canary: 0, wait: false, timeoutMs: 5_000 };
const answers = (rows: readonly UpgradeRow[]) =>
  rows.map(({ host, answer, proven }) => `${host} ${answer} ${proven}`);

describe('an upgrade of many hosts', () => {
  test('is offered to all, and what each said is told', async () => {
    const fleet = new Fleet();
    fleet.answers['b'] = { answer: 'refused', code: 'upgrades_off', detail: 'upgrades are off' };
    fleet.answers['c'] = { answer: 'away', code: 'host_away' };
    const { rows, problem } = await runUpgrades(order, fleet);
    expect(answers(rows)).toEqual(['a done null', 'b refused null', 'c away null']);
    expect([problem, fleet.did]).toEqual([null, ['offer a', 'offer b', 'offer c']]);
  });

  test('is waited for where that is asked', async () => {
    const fleet = new Fleet();
    const { rows, problem } = await runUpgrades({ ...order, wait: true }, fleet);
    expect([answers(rows), problem]).toEqual([['a done true', 'b done true', 'c done true'], null]);
  });

  test('is not offered to the rest before the canary runs it and is well', async () => {
    const fleet = new Fleet();
    const ill = { code: 'gpu_lost', subject: 'GPU-1', severity: 'error' } as const;
    fleet.seen['a'] = [hostOf('a'), { ...upgraded('a'), issues: [ill] }, upgraded('a')];
    const { rows, problem } = await runUpgrades({ ...order, canary: 1 }, fleet);
    expect([answers(rows), problem]).toEqual([['a done true', 'b done null', 'c done null'], null]);
    expect(fleet.did).toEqual([
      ...['offer a', 'a runs 0.1.0', 'a runs 0.2.0', 'a runs 0.2.0'],
      ...['offer b', 'offer c'],
    ]);
  });

  test('takes another canary where one does not take it', async () => {
    const fleet = new Fleet();
    fleet.answers['a'] = { answer: 'refused', code: 'upgrades_off' };
    const { rows } = await runUpgrades({ ...order, canary: 1 }, fleet);
    expect(fleet.did.slice(0, 3)).toEqual(['offer a', 'offer b', 'b runs 0.1.0']);
    expect(answers(rows)).toEqual(['a refused null', 'b done true', 'c done null']);
  });

  test('ends where a canary goes back, and the rest keep what they have', async () => {
    const fleet = new Fleet();
    const upgrade = { phase: 'rolled_back', version: '0.2.0', detail: 'no link within 120 s' } as const;
    fleet.seen['a'] = [hostOf('a'), hostOf('a', { upgrade })];
    const { rows, problem } = await runUpgrades({ ...order, canary: 1 }, fleet);
    expect(problem).toBe('a: rolled back: no link within 120 s; 2 more were not asked');
    expect(answers(rows)).toEqual(['a done false', 'b kept null', 'c kept null']);
  });

  test('ends where a canary is not proven in time', async () => {
    const fleet = new Fleet();
    fleet.seen['a'] = [hostOf('a', { upgrade: { phase: 'offered', version: '0.2.0', detail: null } })];
    const { rows, problem } = await runUpgrades({ ...order, canary: 2 }, fleet);
    expect(problem).toBe('not after 5 s: a: offered; 1 more were not asked');
    expect(answers(rows)).toEqual(['a done false', 'b done true', 'c kept null']);
  });

  test('with more canaries than hosts is one of canaries alone', async () => {
    const { rows, problem } = await runUpgrades({ ...order, canary: 9 }, new Fleet());
    expect([answers(rows), problem]).toEqual([['a done true', 'b done true', 'c done true'], null]);
  });
});

describe('the agent of a host', () => {
  test.each([
    [{ agentVersion: null, newerAgent: null, upgrade: null }, null],
    [{ agentVersion: '0.2.0', newerAgent: null, upgrade: null }, '0.2.0'],
    [{ agentVersion: '0.1.0', newerAgent: '0.2.0', upgrade: null }, '0.1.0 → 0.2.0'],
    [
      {
        agentVersion: '0.1.0',
        newerAgent: '0.2.0',
        upgrade: { phase: 'offered', version: '0.2.0', detail: null },
      },
      '0.1.0 → 0.2.0 (offered)',
    ],
    [
      { agentVersion: '0.2.0', newerAgent: null, upgrade: { phase: 'done', version: '0.2.0', detail: null } },
      '0.2.0',
    ],
  ] as const)('is told with the newer one that there is: %j', (host, text) => {
    expect(agentText(host)).toBe(text);
  });
});
