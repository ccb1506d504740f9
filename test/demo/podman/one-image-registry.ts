import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface OneImage {
  /** As `vllm/vllm-openai`. */
  readonly repository: string;
  readonly tag: string;
  /** Its only layer: a tar archive, not compressed. */
  readonly archive: string;
  readonly entrypoint: readonly string[];
  /** As `NAME=value`. */
  readonly environment: readonly string[];
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/**
 * A registry on loopback from which one image can be pulled, by OCI's distribution specification
 * (https://github.com/opencontainers/distribution-spec, "Pull"). Nothing can be pushed to it.
 */
export class OneImageRegistry {
  readonly reference: string;
  readonly layerBytes: number;
  readonly #server: Server;

  private constructor(server: Server, reference: string, layerBytes: number) {
    this.#server = server;
    this.reference = reference;
    this.layerBytes = layerBytes;
  }

  static async start(image: OneImage): Promise<OneImageRegistry> {
    const layer = await layerOf(image.archive);
    const config = JSON.stringify(configOf(image, layer.digest));
    const configBlob = blobOf(MEDIA_TYPES.config, config);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: configBlob,
      layers: [layer],
    });
    const manifestBlob = blobOf(MEDIA_TYPES.manifest, manifest);
    const { repository, tag, archive } = image;
    const texts = new Map<string, readonly [Blob, string]>([
      [`/v2/${repository}/manifests/${tag}`, [manifestBlob, manifest]],
      [`/v2/${repository}/manifests/${manifestBlob.digest}`, [manifestBlob, manifest]],
      [`/v2/${repository}/blobs/${configBlob.digest}`, [configBlob, config]],
    ]);
    const layerPath = `/v2/${repository}/blobs/${layer.digest}`;
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      const text = texts.get(path);
      if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405, 'UNSUPPORTED');
      else if (path === '/v2/') response.end('{}');
      else if (text !== undefined) answer(response, text[0]).end(request.method === 'HEAD' ? '' : text[1]);
      else if (path === layerPath) sendFile(request, answer(response, layer), archive);
      else refuse(response, 404, 'NAME_UNKNOWN');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new OneImageRegistry(server, `127.0.0.1:${port}/${repository}:${tag}`, layer.size);
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return this.reference.slice(0, this.reference.indexOf('/'));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function configOf({ entrypoint, environment }: OneImage, diffId: string): object {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  return {
    ...{ architecture, os: 'linux' },
    config: { Entrypoint: entrypoint, Env: environment },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}

async function layerOf(archive: string): Promise<Blob> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(archive), hash);
  return {
    mediaType: MEDIA_TYPES.layer,
    digest: `sha256:${hash.digest('hex')}`,
    size: statSync(archive).size,
  };
}

function blobOf(mediaType: string, text: string): Blob {
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

function answer(response: ServerResponse, { mediaType, digest, size }: Blob): ServerResponse {
  return response.writeHead(200, {
    'content-type': mediaType,
    'content-length': size,
    'docker-content-digest': digest,
  });
}

function sendFile(request: IncomingMessage, response: ServerResponse, path: string): void {
  if (request.method === 'HEAD') response.end();
  // Who asked may hang up.
  else pipeline(createReadStream(path), response).catch(() => response.destroy());
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: 'this registry holds one image' }] }));
}
