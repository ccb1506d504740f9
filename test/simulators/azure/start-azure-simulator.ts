import { createServer as createProxy, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { readBodyText } from '../common/request-record.js';

export interface AzureOptions {
  /** Good for both of its names. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly clientSecret: string;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Sign-in by a client's secret and one vault of Key Vault, as Azure's REST reference has them. They keep their own
 * names: who asks comes through the proxy, which leads every connection here.
 */
export interface AzureSimulator {
  /** `http://127.0.0.1:port` */
  readonly proxyUrl: string;
  /** `CONNECT`, `POST` and `GET` with their addresses, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export const AZURE_NAMES = {
  signIn: 'login.microsoftonline.com',
  vault: 'my-vault.vault.azure.net',
} as const;
export const AZURE_TENANT = '00000000-0000-0000-0000-000000000001';
export const AZURE_CLIENT = '00000000-0000-0000-0000-000000000002';

const TOKEN = 'token-of-the-identity';
const AUTHORITY = `https://${AZURE_NAMES.signIn}/${AZURE_TENANT}`;
const BODY_LIMIT_BYTES = 64 * 1024;

export async function startAzureSimulator(options: AzureOptions): Promise<AzureSimulator> {
  const asked: string[] = [];
  const inside = createTlsServer(
    { cert: options.certificatePem, key: options.privateKeyPem },
    (request, response) => void answer(request, response, options, asked),
  );
  await listen(inside);
  const sockets = new Set<Duplex>();
  const proxy = createProxy((_, response) => response.writeHead(405).end());
  proxy.on('connect', ({ url = '' }: IncomingMessage, client: Duplex) => {
    asked.push(`CONNECT ${url}`);
    const upstream = connect(portOf(inside), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
  });
  await listen(proxy);
  return {
    proxyUrl: `http://127.0.0.1:${portOf(proxy)}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([inside, proxy].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AzureOptions,
  asked: string[],
): Promise<void> {
  const { method = '', headers } = request;
  const { pathname } = new URL(request.url ?? '/', 'https://azure.invalid');
  asked.push(`${method} ${headers.host}${pathname}`);
  const form = new URLSearchParams((await readBodyText(request, BODY_LIMIT_BYTES)) ?? '');
  const send = (status: number, body: object, more: Readonly<Record<string, string>> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
  if (headers.host === AZURE_NAMES.vault) {
    if (headers.authorization !== `Bearer ${TOKEN}`) {
      const challenge = `Bearer authorization="${AUTHORITY}", resource="https://vault.azure.net"`;
      send(401, refusal('Unauthorized'), { 'www-authenticate': challenge });
      return;
    }
    const name = /^\/secrets\/([^/]+)\/?$/.exec(pathname)?.[1] ?? '';
    const value = options.secrets[name];
    if (value === undefined) send(404, refusal('SecretNotFound'));
    else send(200, { value, id: `https://${AZURE_NAMES.vault}/secrets/${name}/0123456789abcdef` });
  } else if (pathname.endsWith('/discovery/instance')) {
    send(200, {
      tenant_discovery_endpoint: `${AUTHORITY}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [
        {
          preferred_network: AZURE_NAMES.signIn,
          preferred_cache: 'login.windows.net',
          aliases: [AZURE_NAMES.signIn],
        },
      ],
    });
  } else if (pathname.endsWith('/openid-configuration')) {
    send(200, {
      ...{ issuer: `${AUTHORITY}/v2.0`, token_endpoint: `${AUTHORITY}/oauth2/v2.0/token` },
      ...{ authorization_endpoint: `${AUTHORITY}/oauth2/v2.0/authorize`, jwks_uri: `${AUTHORITY}/keys` },
    });
  } else if (form.get('client_id') === AZURE_CLIENT && form.get('client_secret') === options.clientSecret) {
    send(200, { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: TOKEN });
  } else send(401, { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret.' });
}

function refusal(code: string): object {
  return { error: { code, message: 'as the simulator says' } };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
