import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReleaseArtefact, ReleaseManifest } from '@ai-fabric/shared';
import { pino } from 'pino';
import { ReleaseFolder } from '../release-folder.js';

type Kind = Pick<ReleaseArtefact, 'kind' | 'os' | 'compression'>;

const KINDS: Readonly<Record<string, Kind>> = {
  'agent.sh': { kind: 'script', os: 'linux', compression: null },
  'agent.ps1': { kind: 'script', os: 'windows', compression: null },
  'ai-fabric-agent-linux-x64.gz': { kind: 'agent', os: 'linux', compression: 'gzip' },
  'ai-fabric-agent-windows-x64.zip': { kind: 'agent', os: 'windows', compression: 'zip' },
};

/** A release folder as packaging makes one, with whatever content. */
export class ReleaseStage {
  readonly directory = mkdtempSync(join(tmpdir(), 'ai-fabric-release-'));
  readonly logged: string[] = [];
  readonly folder: ReleaseFolder;
  readonly #key: KeyObject | null;

  /** @param signed with a key that the folder's reader knows */
  constructor({ signed = false }: { readonly signed?: boolean } = {}) {
    const pair = signed ? generateKeyPairSync('ed25519') : null;
    this.#key = pair?.privateKey ?? null;
    this.folder = new ReleaseFolder({
      directory: this.directory,
      releaseKey: pair?.publicKey.export({ format: 'pem', type: 'spki' }).toString() ?? null,
      log: pino({ level: 'info' }, { write: (line: string) => void this.logged.push(line) }),
    });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** @returns the manifest that names these files */
  put(files: Readonly<Record<string, string | Buffer>>, version = '0.2.0'): ReleaseManifest {
    const artefacts = Object.entries(files).map(([name, content]) => {
      writeFileSync(this.path(name), content);
      const { kind, os, compression } = KINDS[name] ?? {
        kind: 'control-plane',
        os: 'linux',
        compression: null,
      };
      const bytes = Buffer.byteLength(content);
      const sha256 = sha256Of(content);
      return { name, kind, os, compression, bytes, sha256, files: [], architecture: null };
    });
    const manifest: ReleaseManifest = {
      ...{ format: 1, version, commit: 'ab'.repeat(20), protocol: 6, oldestProtocol: 1 },
      ...{ builtAt: '2026-11-29T12:00:00.000Z', keySha256: null, artefacts },
    };
    const text = JSON.stringify(manifest);
    if (this.#key !== null) {
      writeFileSync(this.path('manifest.sig'), sign(null, Buffer.from(text), this.#key).toString('base64'));
    }
    writeFileSync(this.path('manifest.json'), text);
    return manifest;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
