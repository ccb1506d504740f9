import { resolve } from 'node:path';
import { nameSchema } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './agent-config.js';
import { readAgentConfig } from './read-agent-config.js';

describe('readAgentConfig', () => {
  test('nothing set gives defaults that can run', () => {
    const config = readAgentConfig({}, {}, 'linux');
    expect(config).toMatchObject({
      serverUrl: null,
      nvidiaSmiPath: null,
      gpuCadenceMs: 2_000,
      hostCadenceMs: 2_000,
      engineCadenceMs: 1_000,
      bufferBytes: 8 * 1024 * 1024,
      logLevel: 'info',
    });
    expect(nameSchema.safeParse(config.hostName).success).toBe(true);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('a flag wins over its variable, a variable over the default', () => {
    const environment = { AI_FABRIC_AGENT_STATE: '/from/environment', AI_FABRIC_AGENT_NAME: 'armitage' };
    expect(readAgentConfig({ state: '/from/flag' }, environment)).toMatchObject({
      stateDirectory: resolve('/from/flag'),
      hostName: 'armitage',
    });
  });

  test('an empty variable is as good as none', () => {
    expect(readAgentConfig({}, { AI_FABRIC_AGENT_BUFFER_BYTES: ' ' }).bufferBytes).toBe(8 * 1024 * 1024);
  });

  test('the server is kept in one spelling', () => {
    expect(readAgentConfig({ server: 'motoko' }, {}).serverUrl).toBe('https://motoko:8443');
  });

  test.each([
    [{ AI_FABRIC_AGENT_GPU_CADENCE_MS: '2s' }, /AI_FABRIC_AGENT_GPU_CADENCE_MS is "2s".*250 to 60000/],
    [{ AI_FABRIC_AGENT_ENGINE_CADENCE_MS: '10' }, /AI_FABRIC_AGENT_ENGINE_CADENCE_MS is "10"/],
    [{ AI_FABRIC_AGENT_BUFFER_BYTES: '-1' }, /AI_FABRIC_AGENT_BUFFER_BYTES is "-1"/],
    [{ AI_FABRIC_AGENT_LOG_LEVEL: 'loud' }, /"loud".*none of fatal, error/],
    [{ AI_FABRIC_AGENT_NAME: 'My Host' }, /"My Host".*for example "my-host"/],
    [{ AI_FABRIC_AGENT_SERVER: 'http://motoko' }, /TLS only/],
  ])('%j is refused by name', (environment, message) => {
    expect(() => readAgentConfig({}, environment)).toThrow(ConfigError);
    expect(() => readAgentConfig({}, environment)).toThrow(message);
  });
});
