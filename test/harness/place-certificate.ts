import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfSigned } from '@ai-fabric/control-plane/testing';

let pair: ReturnType<typeof makeSelfSigned> | null = null;

/**
 * Puts a pair where a control plane would make one at its first start, unless one is there: making it is most of what
 * a start takes, and the toolkit is loaded anew for each. All that one process of a test run starts have the same.
 */
export async function placeCertificate(dataDirectory: string): Promise<void> {
  const directory = join(dataDirectory, 'tls');
  if (existsSync(directory)) return;
  pair ??= makeSelfSigned({
    names: [
      { kind: 'dns', value: 'localhost' },
      { kind: 'ip', value: '127.0.0.1' },
    ],
    nowMs: Date.now(),
  });
  const { certificatePem, privateKeyPem } = await pair;
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(directory, 'key.pem'), privateKeyPem, { mode: 0o600 });
  writeFileSync(join(directory, 'certificate.pem'), certificatePem, { mode: 0o600 });
}
