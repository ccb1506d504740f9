import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../check-fabric-value.js';
import type { DeclaredState } from '../declared-state.js';
import { leaveOutUnset } from './leave-out-unset.js';
import { serialiseDeclaredState } from './serialise-declared-state.js';

const container = { host: 'motoko', engine: 'vllm' };
const written = (value: object) => leaveOutUnset({ ...serialiseDeclaredState(stateOf(value)) });

function stateOf(value: object): DeclaredState {
  const check = checkFabricValue({ version: 1, hosts: { motoko: null }, ...value });
  if (!check.ok) throw new Error(JSON.stringify(check.findings));
  return check.state;
}

describe('what is unset', () => {
  it('is left out, with a section in which nothing else stands', () => {
    const said = written({
      deployments: {
        qwen: { host: 'motoko', task: 'chat', engine: 'external', url: 'http://m:1', servedModel: 'q' },
      },
      providers: { openai: { baseUrl: 'https://api.openai.com/v1', models: {} } },
      roles: { fast: { task: 'chat', targets: [{ deployment: 'qwen' }] } },
    });
    expect(JSON.stringify(said)).not.toContain('null');
    expect(said).toMatchObject({ checks: {}, gateway: { allowedOrigins: [] } });
    expect(said).not.toHaveProperty('backup');
  });

  it('is left out beside what is set', () => {
    const checks = { doctor: { cron: '0 7 * * *' }, smoke: null, webhook: { url: 'https://x.example/y' } };
    expect(written({ checks })['checks']).toEqual({
      doctor: { cron: '0 7 * * *' },
      webhook: { url: 'https://x.example/y' },
    });
  });

  it('keeps the name of an entry in which nothing is said', () => {
    expect(leaveOutUnset({ version: 1, hosts: { motoko: null } })).toEqual({
      version: 1,
      hosts: { motoko: null },
    });
  });

  it('stays where it is an answer, and only there', () => {
    const preset = { ...container, preset: 'chat-fast', contextTokens: null, quantization: null };
    const plain = { ...container, task: 'chat', model: 'a/b' };
    const { deployments } = written({ deployments: { preset, plain } });
    expect(deployments).toMatchObject({
      preset: { contextTokens: null, quantization: null, adopt: null },
      plain: { adopt: null },
    });
    expect(Object.entries((deployments as { plain: object }).plain)).not.toContainEqual([
      'contextTokens',
      null,
    ]);
  });

  it('means the same when it is read again', () => {
    const state = stateOf({
      deployments: {
        one: { ...container, preset: 'chat-fast', contextTokens: null },
        two: { ...container, preset: 'chat-deep', cardGigabytes: 12 },
        three: { ...container, task: 'chat', model: 'a/b', adopt: 'old' },
      },
      checks: { smoke: { everySeconds: 60 } },
    });
    expect(checkFabricValue(leaveOutUnset({ ...serialiseDeclaredState(state) }))).toEqual({
      ok: true,
      state,
    });
  });
});
