import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { normaliseCertificateSha256, systemClock } from '@ai-fabric/shared';
import { CredentialError, toCredentialError } from './credential-error.js';
import { listCertificateNames } from './decide/list-certificate-names.js';
import { makeSelfSigned } from './make-self-signed.js';
import { isOpenToOthers, writePrivateFile } from './private-file.js';

export interface ServerCertificate {
  /** Leaf first, then what an operator put behind it. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Of the leaf: what agents pin. 64 hexadecimal digits. */
  readonly certificateSha256: string;
  readonly expiresAtMs: number;
  /** Whether this start made it. */
  readonly created: boolean;
}

export interface CertificateOptions {
  /** Holds `certificate.pem` and `key.pem`: the operator's own, or made here at the first start. */
  readonly directory: string;
  readonly hostName: string;
  /** This machine's, without prefix lengths. */
  readonly addresses?: readonly string[];
  readonly nowMs?: number;
  readonly platform?: NodeJS.Platform;
}

const REPLACE_BOTH = 'put both of a pair there, or remove both to have a pair made';

/**
 * The certificate of the TLS listener. A pair that is there is used as it is: agents pin it, so it is not renewed
 * when names or addresses change.
 *
 * @throws {CredentialError} with the path and the fix
 */
export async function openCertificate(options: CertificateOptions): Promise<ServerCertificate> {
  const { directory } = options;
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  try {
    const there = [certificateFile, keyFile].filter((file) => statSync(file, { throwIfNoEntry: false }));
    if (there.length === 1) {
      const missing = there[0] === keyFile ? certificateFile : keyFile;
      throw new CredentialError(missing, `is missing beside ${there[0]}`, REPLACE_BOTH);
    }
    if (there.length === 0) await createPair(options);
    const pair = readPair(certificateFile, keyFile, options.platform ?? process.platform);
    return { ...pair, created: there.length === 0 };
  } catch (error) {
    throw toCredentialError(error, directory);
  }
}

/** Both files appear at once, under a directory that gets its name last: half a pair would be pinned by nobody. */
async function createPair(options: CertificateOptions): Promise<void> {
  const { directory, hostName, addresses = ownAddresses(), nowMs = systemClock().nowMs() } = options;
  const { certificatePem, privateKeyPem } = await makeSelfSigned({
    names: listCertificateNames(hostName, addresses),
    nowMs,
  });
  const draft = mkdtempSync(join(dirname(directory), `.${basename(directory)}-`));
  try {
    writePrivateFile(join(draft, 'key.pem'), privateKeyPem);
    writePrivateFile(join(draft, 'certificate.pem'), certificatePem);
    if (statSync(directory, { throwIfNoEntry: false })) rmdirSync(directory);
    renameSync(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
}

function readPair(
  certificateFile: string,
  keyFile: string,
  platform: NodeJS.Platform,
): Omit<ServerCertificate, 'created'> {
  if (isOpenToOthers(statSync(keyFile).mode, platform)) {
    throw new CredentialError(keyFile, 'the private key can be read by others', `run: chmod 600 ${keyFile}`);
  }
  const certificatePem = readFileSync(certificateFile, 'utf8');
  const privateKeyPem = readFileSync(keyFile, 'utf8');
  const leaf = parse(certificateFile, 'is no PEM certificate', () => new X509Certificate(certificatePem));
  const key = parse(keyFile, 'is no PEM private key without a passphrase', () =>
    createPrivateKey(privateKeyPem),
  );
  if (!leaf.checkPrivateKey(key)) {
    throw new CredentialError(keyFile, `is not the key of ${certificateFile}`, REPLACE_BOTH);
  }
  return {
    certificatePem,
    privateKeyPem,
    certificateSha256: normaliseCertificateSha256(leaf.fingerprint256),
    expiresAtMs: Date.parse(leaf.validTo),
  };
}

function parse<Value>(file: string, problem: string, read: () => Value): Value {
  try {
    return read();
  } catch {
    // The cause may quote the key.
    throw new CredentialError(file, problem, REPLACE_BOTH);
  }
}
