import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCertificate } from './certificate.js';
import { makeSelfSigned } from './make-self-signed.js';

const onWindows = process.platform === 'win32';
const nowMs = Date.UTC(2026, 0, 15);
let parent = '';
let directory = '';

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'certificate-'));
  directory = join(parent, 'tls');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

function open(overrides: { hostName?: string; addresses?: readonly string[] } = {}) {
  const addresses = ['192.0.2.7', 'fd7a:115c:a1e0::7', 'fe80::1', '169.254.3.4'];
  return openCertificate({ directory, hostName: 'Motoko', addresses, nowMs, ...overrides });
}

describe('the certificate of the first start', () => {
  it('is for ten years, for the names and addresses of the machine', async () => {
    const made = await open();
    const leaf = new X509Certificate(made.certificatePem);
    expect(made.created).toBe(true);
    expect(leaf.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect((made.expiresAtMs - nowMs) / (365.25 * 24 * 3600 * 1000)).toBeCloseTo(10, 1);
    for (const name of ['localhost', 'motoko', 'motoko.local']) expect(leaf.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '::1', '192.0.2.7', 'fd7a:115c:a1e0::7']) {
      expect(leaf.checkIP(address)).toBe(address);
    }
    expect(leaf.subjectAltName).not.toMatch(/FE80|169\.254/i);
    expect(made.certificateSha256).toBe(createHash('sha256').update(leaf.raw).digest('hex'));
  });

  it('stays the same at later starts, whatever the machine is called by then', async () => {
    const made = await open();
    const again = await open({ hostName: 'other', addresses: [] });
    expect(again).toEqual({ ...made, created: false });
    expect(readdirSync(parent)).toEqual(['tls']);
  });

  it('is shown by a TLS server, by the fingerprint that agents pin', async () => {
    const { certificatePem, privateKeyPem, certificateSha256 } = await open();
    const server = createServer({ cert: certificatePem, key: privateKeyPem, minVersion: 'TLSv1.2' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const shown = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port: address.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex'));
        socket.destroy();
      });
      socket.on('error', reject);
    });
    await new Promise((resolve) => server.close(resolve));
    expect(shown).toBe(certificateSha256);
  });

  it.skipIf(onWindows)('has its key in a file for its owner alone', async () => {
    await open();
    expect(statSync(join(directory, 'key.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('is made in an empty directory too', async () => {
    mkdirSync(directory);
    expect((await open()).created).toBe(true);
  });
});

describe("an operator's own certificate", () => {
  async function place(files: { certificate?: string; key?: string; keyMode?: number }): Promise<void> {
    mkdirSync(directory, { recursive: true });
    const { certificate, key, keyMode = 0o600 } = files;
    if (certificate !== undefined) writeFileSync(join(directory, 'certificate.pem'), certificate);
    if (key === undefined) return;
    writeFileSync(join(directory, 'key.pem'), key);
    chmodSync(join(directory, 'key.pem'), keyMode);
  }
  const pair = () => makeSelfSigned({ names: [{ kind: 'dns', value: 'ai.example.net' }], nowMs });

  it('is used as it is', async () => {
    const { certificatePem, privateKeyPem } = await pair();
    await place({ certificate: certificatePem, key: privateKeyPem });
    expect(await open()).toMatchObject({ certificatePem, privateKeyPem, created: false });
  });

  it('without its key, or with that of another, is refused by name', async () => {
    const { certificatePem } = await pair();
    await place({ certificate: certificatePem });
    await expect(open()).rejects.toThrow(/key\.pem: is missing beside .*certificate\.pem/);
    await place({ key: (await pair()).privateKeyPem });
    await expect(open()).rejects.toThrow(/key\.pem: is not the key of .*certificate\.pem/);
  });

  it('that is no PEM is refused without being repeated', async () => {
    const { certificatePem, privateKeyPem } = await pair();
    await place({ certificate: certificatePem, key: 'my-secret-key' });
    await expect(open()).rejects.toThrow(/key\.pem: is no PEM private key/);
    await expect(open()).rejects.not.toThrow(/my-secret-key/);
    await place({ certificate: 'nonsense', key: privateKeyPem });
    await expect(open()).rejects.toThrow(/certificate\.pem: is no PEM certificate/);
  });

  it.skipIf(onWindows)('whose key others can read is refused with the command that mends it', async () => {
    const { certificatePem, privateKeyPem } = await pair();
    await place({ certificate: certificatePem, key: privateKeyPem, keyMode: 0o644 });
    await expect(open()).rejects.toMatchObject({ fix: `run: chmod 600 ${join(directory, 'key.pem')}` });
  });

  it('in a place that is no directory is told', async () => {
    writeFileSync(directory, '');
    await expect(open()).rejects.toThrow(/tls: cannot be read or written \(ENOTDIR\)/);
  });
});
