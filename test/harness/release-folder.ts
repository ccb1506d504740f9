import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ReleaseArtefact, type ReleaseManifest, releaseManifestSchema } from '@ai-fabric/shared';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

const SCRIPTS = new URL('../../installers/scripts/', import.meta.url);
const FILLER = new URL('../../installers/package/decide/fill-script.mjs', import.meta.url);
const AGENT = 'ai-fabric-agent-linux-x64.gz';
const SMALLER = 'ai-fabric-agent-linux-x64.xz';

/** As packaging fills scripts in. It is no part of a package, so that its types are named here. */
interface Filler {
  fillScript(
    text: string,
    release: {
      readonly version: string;
      readonly artefacts: readonly Pick<ReleaseArtefact, 'name' | 'bytes' | 'sha256'>[];
    },
  ): string;
}

/** A release folder with the real scripts, and in the place of the agent whatever a test wants to be run. */
export class ReleaseFolderStage {
  readonly #home: TemporaryDirectory = temporaryDirectory();

  get directory(): string {
    return this.#home.path;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /**
   * @param program what is run as `ai-fabric-agent`
   * @param withXz packs it with this machine's xz too
   */
  async put(program: string | Buffer, version = '0.2.0', withXz = false): Promise<ReleaseManifest> {
    const { fillScript } = (await import(FILLER.href)) as Filler;
    const agent = gzipSync(program);
    const file = { name: 'ai-fabric-agent', bytes: Buffer.byteLength(program), sha256: sha256Of(program) };
    const linux = { os: 'linux', architecture: 'x64' } as const;
    const packed = this.#write(AGENT, agent, { kind: 'agent', ...linux, compression: 'gzip', files: [file] });
    const about = { ...({ kind: 'agent', compression: 'xz' } as const), ...linux, files: [file] };
    const smaller = withXz
      ? [this.#write(SMALLER, execFileSync('xz', ['-c'], { input: program }), about)]
      : [];
    const template = readFileSync(new URL('agent.sh', SCRIPTS), 'utf8');
    const script = fillScript(template, { version, artefacts: [packed, ...smaller] });
    const artefacts: ReleaseArtefact[] = [
      ...[packed, ...smaller],
      this.#write('agent.sh', script, { kind: 'script', ...linux, compression: null, files: [] }),
    ];
    const manifest = releaseManifestSchema.parse({
      ...{ format: 1, version, commit: null, protocol: 6, oldestProtocol: 1, keySha256: null, artefacts },
      builtAt: new Date(0).toISOString(),
    });
    writeFileSync(this.path('manifest.json'), JSON.stringify(manifest));
    return manifest;
  }

  putSignature(text: string): void {
    writeFileSync(this.path('manifest.sig'), text);
  }

  removeSignature(): void {
    rmSync(this.path('manifest.sig'), { force: true });
  }

  remove(): void {
    this.#home.remove();
  }

  #write(
    name: string,
    content: string | Buffer,
    more: Omit<ReleaseArtefact, 'name' | 'bytes' | 'sha256'>,
  ): ReleaseArtefact {
    writeFileSync(this.path(name), content);
    return { name, bytes: Buffer.byteLength(content), sha256: sha256Of(content), ...more };
  }
}

function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
