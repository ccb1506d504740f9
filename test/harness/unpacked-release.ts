import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readZip } from './read-zip.js';

/** What is in a release folder, unpacked once for each archive. */
export class UnpackedRelease {
  readonly #folder: string;
  readonly #unpacked: string;

  constructor(folder: string, unpacked: string) {
    this.#folder = folder;
    this.#unpacked = unpacked;
  }

  /** The agent's executable for Linux. */
  linuxAgent(): string {
    const folder = this.#unpackOnce('ai-fabric-agent-linux-x64.gz', (archive, draft) => {
      writeFileSync(join(draft, 'ai-fabric-agent'), gunzipSync(archive), { mode: 0o755 });
    });
    return join(folder, 'ai-fabric-agent');
  }

  /** The folder with `ai-fabric-agent.exe` and `nssm.exe`. */
  windowsAgent(): string {
    return this.#unpackOnce('ai-fabric-agent-windows-x64.zip', (archive, draft) => {
      for (const [name, content] of readZip(archive))
        writeFileSync(join(draft, name), content, { mode: 0o755 });
    });
  }

  /** The root of the control plane's archive: `bin/ai-fabric` is below it. */
  controlPlane(): string {
    const folder = this.#unpackOnce('ai-fabric-control-plane-linux-x64.tar.gz', (archive, draft) => {
      execFileSync('tar', ['-xz', '-C', draft], { input: archive });
    });
    const [root = ''] = readdirSync(folder);
    return join(folder, root);
  }

  #unpackOnce(name: string, unpack: (archive: Buffer, draft: string) => void): string {
    const archive = readFileSync(join(this.#folder, name));
    const shelf = join(this.#unpacked, name);
    const hash = createHash('sha256').update(archive).digest('hex').slice(0, 12);
    const folder = join(shelf, hash);
    if (existsSync(folder)) return folder;
    mkdirSync(shelf, { recursive: true });
    for (const other of readdirSync(shelf)) {
      if (!other.startsWith(hash)) rmSync(join(shelf, other), { recursive: true, force: true });
    }
    // Others, in processes of their own, may unpack the same meanwhile: the first one to be done is whose it is.
    const draft = `${folder}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft);
    // Services run as others than whoever unpacked it.
    chmodSync(draft, 0o755);
    unpack(archive, draft);
    try {
      renameSync(draft, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
      rmSync(draft, { recursive: true, force: true });
    }
    return folder;
  }
}
