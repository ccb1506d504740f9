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

  test('what systemd gives a service is known', () => {
    const environment = { CREDENTIALS_DIRECTORY: '/run/credentials/a', AI_FABRIC_AGENT_HELPER: 'systemd' };
    expect(readAgentConfig({}, environment, 'linux')).toMatchObject({
      credentialsDirectory: '/run/credentials/a',
      ...{ asksHelper: true, replacesItself: false },
    });
    expect(readAgentConfig({}, {})).toMatchObject({ credentialsDirectory: null, asksHelper: false });
  });

  test('what the wrapper gives a service of Windows is known', () => {
    const environment = { AI_FABRIC_AGENT_HELPER: 'nssm' };
    const kept = { asksHelper: false, replacesItself: true };
    expect(readAgentConfig({}, environment, 'win32')).toMatchObject(kept);
    expect(() => readAgentConfig({}, environment, 'linux')).toThrow(/only be "systemd"/);
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
    [{ AI_FABRIC_AGENT_NVIDIA_SMI: '/opt/smi-470' }, /"\/opt\/smi-470".*called nvidia-smi/],
    [{ AI_FABRIC_AGENT_NVIDIA_SMI: 'nvidia-smi' }, /absolute path/],
    [{ AI_FABRIC_AGENT_SERVER: 'http://motoko' }, /TLS only/],
    [{ AI_FABRIC_AGENT_HELPER: 'yes' }, /"yes".*only be "systemd"/],
  ])('%j is refused by name', (environment, message) => {
    expect(() => readAgentConfig({}, environment, 'linux')).toThrow(ConfigError);
    expect(() => readAgentConfig({}, environment, 'linux')).toThrow(message);
  });

  test.each([
    ['linux', '/opt/470/nvidia-smi'],
    ['win32', 'D:\\NVSMI\\NVIDIA-SMI.EXE'],
  ] as const)('on %s the tool may be %s', (platform, path) => {
    const environment = { AI_FABRIC_AGENT_NVIDIA_SMI: path };
    expect(readAgentConfig({}, environment, platform).nvidiaSmiPath).toBe(path);
  });
});
