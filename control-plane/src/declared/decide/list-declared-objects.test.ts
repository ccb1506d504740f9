import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../check-fabric-value.js';
import type { DeclaredState } from '../declared-state.js';
import { joinDeclaredObjects, listDeclaredObjects } from './list-declared-objects.js';
import { serialiseDeclaredState } from './serialise-declared-state.js';

function stateOf(value: Record<string, unknown>): DeclaredState {
  const check = checkFabricValue({ version: 1, ...value });
  if (!check.ok) throw new Error(JSON.stringify(check.findings));
  return check.state;
}

const estate = {
  hosts: {
    motoko: null,
    armitage: {
      mayBeAway: true,
      timeZone: 'Europe/Berlin',
      wake: { quietHours: [{ from: '23:00', to: '07:30', days: ['fri', 'sat'] }] },
      sleep: { afterIdleMinutes: 30, awakeHours: [{ from: '08:00', to: '12:00' }] },
      owner: { action: 'park' },
      energy: { baseWatts: 60 },
    },
  },
  deployments: {
    qwen: {
      host: 'armitage',
      task: 'chat',
      engine: 'external',
      url: 'http://armitage:8000/',
      servedModel: 'q',
    },
  },
  providers: {
    openai: {
      baseUrl: 'https://api.openai.com/v1/',
      apiKey: { file: '/etc/key' },
      models: { cheap: { model: 'mini' } },
    },
  },
  roles: {
    fast: { task: 'chat', targets: [{ deployment: 'qwen' }, { provider: 'openai', model: 'cheap' }] },
  },
  aliases: { 'local/chat': 'fast' },
  tariff: { pricePerKilowattHour: 0.31, currency: 'EUR' },
  gateway: { allowedOrigins: ['app://obsidian.md'], extraHosts: ['AI.Example.net'] },
  checks: {
    doctor: { cron: '0 7 * * *' },
    smoke: { everySeconds: 3600 },
    webhook: { url: { env: 'HOOK' }, secret: { file: '/etc/hook' } },
  },
};

describe('a declared state', () => {
  it('is the same after it was written out and read again', () => {
    const state = stateOf(estate);
    expect(checkFabricValue(serialiseDeclaredState(state))).toEqual({ ok: true, state });
    expect(checkFabricValue(joinDeclaredObjects(listDeclaredObjects(state)))).toEqual({ ok: true, state });
  });

  it('keeps what targets can do and when they are asked, however it was listed', () => {
    const [deployments, providers] = [structuredClone(estate.deployments), structuredClone(estate.providers)];
    Object.assign(deployments.qwen, { capabilities: ['vision', 'tools'] });
    Object.assign(providers.openai.models.cheap, { capabilities: [], contextTokens: 128_000 });
    const targets = [
      { deployment: 'qwen', when: { capabilities: ['audio', 'tools'], maxContext: 8192 } },
      { provider: 'openai', model: 'cheap', when: { whenWaitExceeds: 2.5, localOnly: false } },
    ];
    const fast = { task: 'chat', targets, weights: { answer: 0.5 } };
    const state = stateOf({ ...estate, deployments, providers, roles: { fast } });

    expect(state.deployments.get('qwen')?.capabilities).toEqual(['tools', 'vision']);
    expect(state.providers.get('openai')?.models.get('cheap')).toMatchObject({
      ...{ capabilities: [], contextTokens: 128_000 },
    });
    const none = { whenWaitExceeds: null, maxContext: null, capabilities: null, localOnly: false };
    expect(state.roles.get('fast')).toMatchObject({
      weights: { firstToken: 1, answer: 0.5 },
      targets: [
        { when: { ...none, capabilities: ['tools', 'audio'], maxContext: 8192 } },
        { when: { ...none, whenWaitExceeds: 2.5 } },
      ],
    });
    expect(checkFabricValue(serialiseDeclaredState(state))).toEqual({ ok: true, state });
    expect(checkFabricValue(joinDeclaredObjects(listDeclaredObjects(state)))).toEqual({ ok: true, state });
  });

  it('has no condition where one asks for nothing, and is written out without it', () => {
    const targets = [{ deployment: 'qwen', when: { localOnly: false } }];
    const state = stateOf({ ...estate, roles: { fast: { task: 'chat', targets } } });
    expect(state.roles.get('fast')?.targets[0]?.when).toBeNull();
    expect(serialiseDeclaredState(state).roles['fast']?.targets).toEqual([{ deployment: 'qwen' }]);
  });

  it('is written out with its defaults', () => {
    expect(serialiseDeclaredState(stateOf(estate))).toMatchObject({
      hosts: { motoko: { mayBeAway: false } },
      deployments: {
        qwen: { url: 'http://armitage:8000', maxConcurrent: 16, contextTokens: null, listed: true },
      },
      providers: {
        openai: { baseUrl: 'https://api.openai.com/v1', models: { cheap: { model: 'mini', task: 'chat' } } },
      },
      roles: {
        fast: {
          firstByteTimeoutSeconds: 120,
          idleTimeoutSeconds: 120,
          totalTimeoutSeconds: 1800,
          patienceSeconds: 50,
        },
      },
      gateway: { extraHosts: ['ai.example.net'] },
    });
  });
});
