import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfSigned } from '@ai-fabric/control-plane/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml, type ProviderSpec } from '../harness/fabric-yaml.js';
import { errorOf } from '../harness/raw-http.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import {
  AZURE_CLIENT,
  AZURE_NAMES,
  AZURE_TENANT,
  type AzureSimulator,
  startAzureSimulator,
} from '../simulators/azure/start-azure-simulator.js';
import { eventually } from '../simulators/common/eventually.js';
import { type OpenAiSimulator, startOpenAiSimulator } from '../simulators/openai/start-openai-simulator.js';

const KEY = 'sk-simulated-key-of-the-provider';

describe('the key of a provider', { timeout: 90_000 }, () => {
  let home: TemporaryDirectory;
  let provider: OpenAiSimulator;
  let controlPlane: ControlPlaneProcess;
  let azure: AzureSimulator | undefined;

  beforeEach(async () => {
    home = temporaryDirectory();
    provider = await startOpenAiSimulator({ apiKey: KEY });
    controlPlane = new ControlPlaneProcess();
  });
  afterEach(async () => {
    await controlPlane.close();
    await provider.close();
    await azure?.close();
    azure = undefined;
    home.remove();
  });

  const fabricWith = (apiKey: NonNullable<ProviderSpec['apiKey']>): string =>
    fabricYaml({
      providers: {
        openai: { baseUrl: provider.baseUrl, apiKey, models: { cheap: { model: 'gpt-5-mini' } } },
      },
      roles: { 'chat-cloud': { targets: ['openai/cheap'] } },
    });
  const ask = (): Promise<Response> =>
    fetch(`${controlPlane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'chat-cloud', messages: [{ role: 'user', content: 'Hello' }] }),
    });
  const isAnswered = async (): Promise<boolean> => {
    const answer = await ask();
    await answer.text();
    return answer.status === 200;
  };
  const lastBearer = (): string | undefined => provider.requests.at(-1)?.headers.authorization;

  test('comes from systemd, and one that is replaced there is used', async () => {
    const credentials = join(home.path, 'ai-fabric.service');
    mkdirSync(credentials, { mode: 0o700 });
    // As systemd leaves them: for the service's user alone, and not to be written.
    const put = (key: string): void => {
      const draft = join(credentials, '.draft');
      writeFileSync(draft, `${key}\n`, { mode: 0o400 });
      renameSync(draft, join(credentials, 'openai'));
    };
    put(KEY);
    if (process.platform !== 'win32') chmodSync(credentials, 0o500);
    await controlPlane.start({
      fabric: fabricWith({ credential: 'openai' }),
      environment: { CREDENTIALS_DIRECTORY: credentials },
    });
    await eventually('the provider lets it in', isAnswered);
    expect(lastBearer()).toBe(`Bearer ${KEY}`);
    if (process.platform !== 'win32') chmodSync(credentials, 0o700);
    put('sk-simulated-key-of-another-year');
    await eventually('the later one is sent', async () => {
      await isAnswered();
      return lastBearer() === 'Bearer sk-simulated-key-of-another-year';
    });
  });

  test('that systemd was not told of is missed, with what to set', async () => {
    await controlPlane.start({
      fabric: fabricWith({ credential: 'openai' }),
      environment: { CREDENTIALS_DIRECTORY: '' },
    });
    await eventually('it was looked for', async () => {
      const answer = await ask();
      return errorOf(await answer.text()).code === 'provider_key_missing';
    });
    expect(provider.requests).toHaveLength(0);
    const { stderr } = await controlPlane.stop();
    expect(stderr).toContain('set LoadCredential=openai:FILE in the unit');
  });

  test('comes from Azure Key Vault, by the SDK that is in the program', async () => {
    const names = Object.values(AZURE_NAMES).map((value) => ({ kind: 'dns' as const, value }));
    const certificate = await makeSelfSigned({ names, nowMs: Date.now() });
    const trusted = join(home.path, 'azure.pem');
    writeFileSync(trusted, certificate.certificatePem);
    azure = await startAzureSimulator({
      ...certificate,
      clientSecret: 'secret-of-the-client',
      secrets: { openai: KEY },
    });
    const { proxyUrl } = azure;
    await controlPlane.start({
      fabric: fabricWith({ azureKeyVault: { vault: `https://${AZURE_NAMES.vault}`, secret: 'openai' } }),
      environment: {
        ...{ HTTPS_PROXY: proxyUrl, https_proxy: proxyUrl, NO_PROXY: '', no_proxy: '' },
        ...{ NODE_EXTRA_CA_CERTS: trusted, AZURE_TENANT_ID: AZURE_TENANT, AZURE_CLIENT_ID: AZURE_CLIENT },
        AZURE_CLIENT_SECRET: 'secret-of-the-client',
      },
    });
    await eventually('the provider lets it in', isAnswered);
    expect(lastBearer()).toBe(`Bearer ${KEY}`);
    expect(azure.asked).toContain(`POST ${AZURE_NAMES.signIn}/${AZURE_TENANT}/oauth2/v2.0/token`);
    const { stderr } = await controlPlane.stop();
    for (const secret of [KEY, 'secret-of-the-client']) expect(stderr).not.toContain(secret);
  });
});
