import { parentPort, workerData } from 'node:worker_threads';
import { type CertificateWish, createSelfSigned } from './create-self-signed.js';

/** Makes one pair, and ends. */
const { names, nowMs } = workerData as CertificateWish;
parentPort?.postMessage(await createSelfSigned(names, nowMs));
