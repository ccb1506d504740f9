import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ReleaseManifest } from '@ai-fabric/shared';
import { artefactOf, manifestOf } from '@ai-fabric/shared/testing';
import type { PinnedAddress } from '../../link/dial-pinned-tls.js';
import type { TestCertificate } from '../../link/testing/fake-control-plane.js';

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
/** PEM: whoever trusts it takes what `signed` serves. */
export const RELEASE_KEY = publicKey.export({ format: 'pem', type: 'spki' }).toString();

/** Serves a release under `/install/`, and is made to misbehave. */
export class ReleaseServer {
  readonly program: Buffer;
  archive: Buffer;
  manifest: ReleaseManifest;
  files = new Map<string, Buffer>();
  /** The connection is cut after so many bytes of the archive, once for each number. */
  readonly cuts: number[] = [];
  /** Answers instead, once for each. */
  readonly statuses: number[] = [];
  knowsRanges = true;
  /** What was asked for: name and range. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #certificate: TestCertificate;

  private constructor(certificate: TestCertificate, program: Buffer) {
    this.#certificate = certificate;
    this.program = program;
    this.archive = gzipSync(program);
    this.manifest = manifestOf();
    this.publish();
    this.#server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) =>
      this.#answer(request, response),
    );
  }

  static async start(
    certificate: TestCertificate,
    program = Buffer.alloc(300_000, 'newer '),
  ): Promise<ReleaseServer> {
    const server = new ReleaseServer(certificate, program);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get address(): PinnedAddress {
    const { port } = this.#server.address() as AddressInfo;
    const host = '127.0.0.1';
    return { url: `https://${host}:${port}`, host, port, certificateSha256: this.#certificate.sha256 };
  }

  get manifestSha256(): string {
    return sha256Of(this.files.get('manifest.json') ?? Buffer.alloc(0));
  }

  /** Writes the manifest as it is true, but for what is changed in it, and signs it. */
  publish(change: Partial<ReleaseManifest> = {}): void {
    const name = 'ai-fabric-agent-linux-x64.gz';
    const files = [{ name: 'ai-fabric-agent', bytes: this.program.length, sha256: sha256Of(this.program) }];
    const archive = { name, bytes: this.archive.length, sha256: sha256Of(this.archive), files };
    this.manifest = manifestOf({ version: '0.2.0', artefacts: [artefactOf(archive)], ...change });
    const bytes = Buffer.from(JSON.stringify(this.manifest));
    const signature = Buffer.from(sign(null, bytes, privateKey).toString('base64'));
    this.files = new Map([
      ['manifest.json', bytes],
      ['manifest.sig', signature],
      [name, this.archive],
    ]);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = (request.url ?? '').replace(/^\/install\//, '');
    const { range } = request.headers;
    this.asked.push(range === undefined ? name : `${name} ${range}`);
    const status = this.statuses.shift();
    const file = this.files.get(name);
    if (status !== undefined || file === undefined) {
      response.writeHead(status ?? 404).end();
      return;
    }
    const from = this.knowsRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    const body = file.subarray(from);
    const headers = {
      'content-length': body.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    };
    response.writeHead(from > 0 ? 206 : 200, headers);
    const cut = name.endsWith('.gz') ? this.cuts.shift() : undefined;
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setImmediate(() => request.socket.destroy()));
  }
}
