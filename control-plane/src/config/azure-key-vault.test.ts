import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AzureKeyVault, type KeyVaultParts } from './azure-key-vault.js';

const VAULT = 'https://my-vault.vault.azure.net';
const CHALLENGE =
  'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001", resource="https://vault.azure.net"';

/** Key Vault's REST as its reference has it: a challenge first, then `GET /secrets/{name}/?api-version=…`. */
class FakeVault {
  status = 200;
  value = 'key-of-the-vault';
  readonly asked: IncomingMessage[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(request);
      response.setHeader('content-type', 'application/json');
      if (request.headers.authorization !== 'Bearer token-of-the-identity') {
        response.writeHead(401, { 'www-authenticate': CHALLENGE });
        response.end('{"error":{"code":"Unauthorized","message":"AKV10000: no token"}}');
      } else if (this.status !== 200) {
        response.writeHead(this.status);
        response.end(`{"error":{"code":"SomeCode","message":"about ${this.value}"}}`);
      } else {
        const id = `${VAULT}/secrets/openai/0123456789abcdef0123456789abcdef`;
        const attributes = { enabled: true, created: 1, updated: 1, recoveryLevel: 'Recoverable' };
        response.end(JSON.stringify({ value: this.value, id, attributes }));
      }
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** The SDK asks for the vault by its own name; this carries it to the loopback. */
  readonly httpClient: NonNullable<KeyVaultParts['httpClient']> = {
    sendRequest: async (request) => {
      const { port } = this.#server.address() as AddressInfo;
      const { pathname, search } = new URL(request.url);
      const headers = request.headers.toJSON();
      const answer = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
        ...{ method: request.method, headers },
      });
      const Headers = request.headers.constructor as new (
        raw: Record<string, string>,
      ) => typeof request.headers;
      return {
        request,
        status: answer.status,
        headers: new Headers(Object.fromEntries(answer.headers)),
        bodyAsText: await answer.text(),
      };
    },
  };
}

describe('Azure Key Vault', () => {
  let fake: FakeVault;
  let keyVault: AzureKeyVault;
  const read = () => keyVault.read({ vault: VAULT, secret: 'openai' });

  beforeEach(async () => {
    fake = new FakeVault();
    await fake.listen();
    const getToken = async () => ({
      token: 'token-of-the-identity',
      expiresOnTimestamp: Date.now() + 3_600_000,
    });
    keyVault = new AzureKeyVault({ httpClient: fake.httpClient, credential: { getToken } });
  });
  afterEach(() => fake.close());

  it('gives the newest version of a secret, by its REST', async () => {
    expect(await read()).toEqual({ ok: true, value: 'key-of-the-vault' });
    expect(decodeURIComponent(fake.asked.at(-1)?.url ?? '')).toMatch(/^\/secrets\/openai\/?\?api-version=/);
    fake.value = 'a-later-key';
    expect(await read()).toEqual({ ok: true, value: 'a-later-key' });
  });

  it.each([
    [404, 'vault_secret_missing'],
    [403, 'vault_refused'],
    [400, 'vault_unreachable'],
  ])('that answers %i is told apart (%s), and nothing of its answer is repeated', async (status, code) => {
    fake.status = status;
    const result = await read();
    expect(result).toMatchObject({ ok: false, code, detail: expect.stringContaining(VAULT) });
    expect(JSON.stringify(result)).not.toContain('key-of-the-vault');
  });
});
