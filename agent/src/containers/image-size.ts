import http from 'node:http';
import https from 'node:https';
import { z } from 'zod';
import { parseJson } from './decide/parse-json.js';
import { qualifyImage } from './decide/qualify-image.js';
import { isLoopback, manifestPlace, readChallenge, readManifest } from './decide/read-manifest.js';

/** Worth a moment before gigabytes are fetched, and no more. */
const DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
/** As Go names what Node names otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' };

const tokenSchema = z.object({ token: z.string().max(20_000) });

/**
 * What pulling an image fetches, as its registry tells without credentials: Docker's and Podman's APIs do not say it
 * before they pull. Nothing is followed but a token's address, and that only with TLS. Never rejects.
 *
 * @param image as it is declared; the owner of the host was asked before
 * @returns bytes of all layers as they are fetched; `null` where the registry is away, wants credentials, or says something else
 */
export async function askImageSize(image: string, signal: AbortSignal): Promise<number | null> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  const { base, reference } = manifestPlace(qualifyImage(image));
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  try {
    const first = await ask(base + reference, null, within);
    const token = first.status === 401 ? await askToken(base, first.challenge, within) : null;
    const answer = token === null ? first : await ask(base + reference, token, within);
    const manifest = readManifest(parseJson(answer.text), architecture);
    if (manifest === null || manifest.kind === 'image') return manifest?.bytes ?? null;
    const one = readManifest(
      parseJson((await ask(base + manifest.digest, token, within)).text),
      architecture,
    );
    return one?.kind === 'image' ? one.bytes : null;
  } catch {
    return null;
  }
}

async function askToken(base: string, challenge: string, signal: AbortSignal): Promise<string | null> {
  const url = readChallenge(challenge);
  if (url === null || (url.protocol !== 'https:' && !(isLoopback(url.host) && base.startsWith('http:')))) {
    return null;
  }
  const answer = tokenSchema.safeParse(parseJson((await ask(url.href, null, signal)).text));
  return answer.success ? answer.data.token : null;
}

interface Answer {
  readonly status: number;
  readonly challenge: string;
  readonly text: string;
}

function ask(url: string, token: string | null, signal: AbortSignal): Promise<Answer> {
  const { request } = url.startsWith('https:') ? https : http;
  const headers = { accept: ACCEPT, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    const call = request(url, { headers, signal, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > MAX_ANSWER_BYTES) call.destroy(new Error('too long an answer'));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          challenge: response.headers['www-authenticate'] ?? '',
          text: response.statusCode === 200 ? Buffer.concat(parts).toString('utf8') : '',
        }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}
