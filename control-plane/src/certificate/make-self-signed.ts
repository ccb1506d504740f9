import { Worker } from 'node:worker_threads';
import { findWorker } from '../find-worker.js';
import type { CertificateWish, PemPair } from './create-self-signed.js';

/**
 * Makes a key and its certificate in a thread of its own: the X.509 toolkit takes 20 MB, which a control plane would keep for
 * ten years of certificates that it never makes.
 *
 * @throws what the thread threw
 */
export function makeSelfSigned(wish: CertificateWish): Promise<PemPair> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(findWorker('certificate/certificate-worker.js'), {
      workerData: wish,
      execArgv: [],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread that makes the certificate ended: ${code}`)));
  });
}
