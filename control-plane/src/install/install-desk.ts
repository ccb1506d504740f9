import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import {
  contentTypeOf,
  INSTALL_PATH,
  type InstallAnswer,
  judgeInstallRequest,
  type ServedNames,
} from './decide/judge-install-request.js';
import type { ByteRange } from './decide/judge-range.js';
import type { Release, ReleaseFolder } from './release-folder.js';

/** Each holds a file open, and a stranger may ask. */
const MAX_DOWNLOADS = 32;
/** A download that moves nothing for so long is ended. */
const STALLED_MS = 60_000;
const BUSY_RETRY_SECONDS = '5';
const MAX_ECHOED = 80;

const NO_RELEASE_FIX =
  'In a checkout "npm run package" makes one; elsewhere name its folder with --release-dir or AI_FABRIC_RELEASE_DIR.';

/** Answers `/install/`: the installers, the agents, and the manifest that names them. Nothing of it is secret. */
export class InstallDesk {
  readonly #folder: ReleaseFolder;
  readonly #log: Logger;
  readonly #maxDownloads: number;
  #downloads = 0;

  constructor(folder: ReleaseFolder, log: Logger, maxDownloads = MAX_DOWNLOADS) {
    this.#folder = folder;
    this.#log = log;
    this.#maxDownloads = maxDownloads;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: unknown) => {
      // A client that went away is no trouble of ours.
      this.#log.debug({ error: String(error) }, 'a download ended early');
      if (response.headersSent) response.destroy();
      else answerText(response, 500, 'the file could not be read\n');
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const release = await this.#folder.look();
    if (release === null) {
      const { problem } = this.#folder;
      answerText(response, 404, `Nothing can be installed from here: ${problem}.\n${NO_RELEASE_FIX}\n`);
      return;
    }
    const verdict = judgeInstallRequest(askedOf(request), namesOf(release));
    if (verdict.kind !== 'file') {
      answerShort(verdict, release, response);
      return;
    }
    const held = heldIn(release, verdict.name);
    if (held !== null) {
      writeFileHead(response, verdict);
      const { from, to } = partOf(verdict);
      response.end(verdict.withBody ? held.subarray(from, to + 1) : undefined);
      return;
    }
    if (this.#downloads >= this.#maxDownloads) {
      response.setHeader('retry-after', BUSY_RETRY_SECONDS);
      answerText(response, 503, 'too many downloads at once: try again in a few seconds\n');
      return;
    }
    this.#downloads += 1;
    try {
      await this.#stream(verdict, response);
    } finally {
      this.#downloads -= 1;
    }
  }

  async #stream(file: FileAnswer, response: ServerResponse): Promise<void> {
    const artefact = this.#folder.artefact(file.name);
    const verdict = artefact === null ? null : await this.#folder.check(artefact);
    if (!verdict?.ok) {
      answerText(response, 503, `${verdict?.detail ?? 'the release was replaced'}\n`);
      return;
    }
    if ((await stat(verdict.path)).mtimeMs !== verdict.mtimeMs) {
      // It was replaced since it was hashed: hashed anew for whoever asks next.
      this.#folder.forget(file.name);
      answerText(response, 503, `${file.name} was replaced just now: ask again\n`);
      return;
    }
    writeFileHead(response, file);
    if (!file.withBody || file.bytes === 0) {
      response.end();
      return;
    }
    response.setTimeout(STALLED_MS, () => response.destroy());
    const { from, to } = partOf(file);
    await pipeline(createReadStream(verdict.path, { start: from, end: to }), response);
  }
}

type FileAnswer = Extract<InstallAnswer, { kind: 'file' }>;

function askedOf(request: IncomingMessage): Parameters<typeof judgeInstallRequest>[0] {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange, range } = request.headers;
  return { method: request.method ?? '', path, ifNoneMatch, range, ifRange: ifRange?.toString() };
}

function partOf({ part, bytes }: FileAnswer): ByteRange {
  return part ?? { from: 0, to: bytes - 1 };
}

function namesOf({ manifest, manifestBytes, manifestSha256, signature }: Release): ServedNames {
  const names = new Map<string, { readonly bytes: number; readonly sha256: string }>();
  for (const { name, bytes, sha256 } of manifest.artefacts) names.set(name, { bytes, sha256 });
  names.set('manifest.json', { bytes: manifestBytes.length, sha256: manifestSha256 });
  if (signature !== null) {
    const sha256 = createHash('sha256').update(signature).digest('hex');
    names.set('manifest.sig', { bytes: signature.length, sha256 });
  }
  return names;
}

/** What is small and was read with the release; `null`: it lies on the disk. */
function heldIn(release: Release, name: string): Buffer | null {
  if (name === 'manifest.json') return release.manifestBytes;
  return name === 'manifest.sig' ? release.signature : null;
}

function answerShort(
  answer: Exclude<InstallAnswer, FileAnswer>,
  release: Release,
  response: ServerResponse,
): void {
  switch (answer.kind) {
    case 'method_not_allowed':
      response.setHeader('allow', 'GET, HEAD');
      answerText(response, 405, 'this is for reading\n');
      return;
    case 'list':
      answerText(response, 200, listing(release));
      return;
    case 'unknown': {
      const names = [...namesOf(release).keys()].join(', ');
      answerText(
        response,
        404,
        `the release has no ${JSON.stringify(answer.name.slice(0, MAX_ECHOED))}; it has ${names}\n`,
      );
      return;
    }
    case 'no_such_part':
      response.setHeader('content-range', `bytes */${answer.bytes}`);
      response.setHeader('etag', `"${answer.sha256}"`);
      answerText(response, 416, `it has ${answer.bytes} bytes\n`);
      return;
    case 'unchanged':
      response.writeHead(304, { etag: `"${answer.sha256}"` });
      response.end();
      return;
    default:
      answer satisfies never;
  }
}

/** For people: what there is, as `sha256sum` would list it. */
function listing({ manifest, signed }: Release): string {
  const { version, commit, artefacts } = manifest;
  const trust = signed ? 'signed' : 'unsigned: a development build';
  const files = artefacts.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  return `AI Fabric ${version} (commit ${commit ?? 'unknown'}), ${trust}; all of it is in ${INSTALL_PATH}manifest.json\n\n${files}`;
}

function writeFileHead(response: ServerResponse, file: FileAnswer): void {
  const { name, bytes, sha256, part } = file;
  const { from, to } = partOf(file);
  response.writeHead(part === null ? 200 : 206, {
    'content-type': contentTypeOf(name),
    'content-length': to - from + 1,
    ...(part === null ? {} : { 'content-range': `bytes ${from}-${to}/${bytes}` }),
    'accept-ranges': 'bytes',
    etag: `"${sha256}"`,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  });
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
