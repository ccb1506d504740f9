import { createHash, type KeyObject, sign } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OWN_VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'control-plane/package.json'), 'utf8')) as { version: string }
).version;
const PROGRAM = 'lib/control-plane/dist/program';
const MIGRATIONS = 'lib/control-plane/migrations';
const SUMS = 'SHA256SUMS';
const SIGNATURE = `${SUMS}.sig`;

export interface ArchiveOptions {
  /** By default the checkout's own. */
  readonly version?: string;
  /**
   * `whole`: with a Node of its own, for a machine that has none. `thin`: what is built in this checkout, started by the
   * Node that runs the tests.
   */
  readonly kind: 'whole' | 'thin';
}

/** An unpacked archive of the control plane, as installers get it, put together from what is built in this checkout. */
export class ControlPlaneArchive {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param parent where its folder is made */
  static assemble(parent: string, { version = OWN_VERSION, kind }: ArchiveOptions): ControlPlaneArchive {
    const archive = new ControlPlaneArchive(join(parent, `ai-fabric-${version}`));
    const { folder } = archive;
    for (const each of ['bin', 'systemd']) mkdirSync(join(folder, each), { recursive: true });
    cpSync(join(ROOT, 'installers/systemd'), join(folder, 'systemd'), { recursive: true });
    cpSync(join(ROOT, 'installers/install-control-plane.sh'), join(folder, 'install-control-plane.sh'));
    if (kind === 'whole') archive.#addPrograms(version);
    else
      archive.writeProgram(
        `exec '${process.execPath}' '${join(ROOT, 'control-plane/dist/program/main.js')}' "$@"`,
      );
    archive.seal();
    return archive;
  }

  /** What `bin/ai-fabric` does; `$home` is the archive's folder. */
  writeProgram(body: string): void {
    const file = join(this.folder, 'bin/ai-fabric');
    writeFileSync(file, `#!/bin/sh\nset -eu\nhome=$(dirname "$(dirname "$(readlink -f "$0")")")\n${body}\n`);
    chmodSync(file, 0o755);
  }

  /** Another step of the registry's form, as a newer version has one. */
  addMigration(tag: string, sql: string): void {
    const journalFile = join(this.folder, MIGRATIONS, 'meta/_journal.json');
    const journal = JSON.parse(readFileSync(journalFile, 'utf8')) as {
      entries: { idx: number; when: number }[];
    };
    const last = journal.entries.at(-1) ?? { idx: -1, when: 0 };
    const entry = { idx: last.idx + 1, version: '6', when: last.when + 1000, tag, breakpoints: true };
    writeFileSync(journalFile, JSON.stringify({ ...journal, entries: [...journal.entries, entry] }));
    writeFileSync(join(this.folder, MIGRATIONS, `${tag}.sql`), sql);
  }

  /** Writes the list of checksums anew, after a change that is meant to be, and signs it where there is a key. */
  seal(key: KeyObject | null = null): void {
    const files = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(this.folder, name))
      .filter((file) => statSync(file).isFile() && ![SUMS, SIGNATURE].includes(relative(this.folder, file)))
      .sort();
    const lines = files.map((file) => `${sha256(file)}  ${relative(this.folder, file)}\n`);
    const list = Buffer.from(lines.join(''));
    writeFileSync(join(this.folder, SUMS), list);
    if (key !== null) {
      writeFileSync(join(this.folder, SIGNATURE), `${sign(null, list, key).toString('base64')}\n`);
    }
  }

  #addPrograms(version: string): void {
    mkdirSync(join(this.folder, 'node/bin'), { recursive: true });
    cpSync(process.execPath, join(this.folder, 'node/bin/node'));
    this.writeProgram(`exec "$home/node/bin/node" "$home/${PROGRAM}/main.js" "$@"`);
    const library = join(this.folder, 'lib/control-plane');
    mkdirSync(library, { recursive: true });
    writeFileSync(join(library, 'package.json'), '{"type":"module"}\n');
    cpSync(join(ROOT, 'control-plane/dist/program'), join(this.folder, PROGRAM), { recursive: true });
    cpSync(join(ROOT, 'migrations'), join(this.folder, MIGRATIONS), { recursive: true });
    addNativePart(join(library, 'node_modules'));
    if (version !== OWN_VERSION) this.#renumber(version);
  }

  /** The version is a constant of the program. */
  #renumber(version: string): void {
    const folder = join(this.folder, PROGRAM);
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      const text = readFileSync(file, 'utf8');
      const changed = text.replaceAll(`"${OWN_VERSION}"`, `"${version}"`);
      if (changed !== text) writeFileSync(file, changed);
    }
  }
}

/** better-sqlite3 as it is compiled here, with what it loads. */
function addNativePart(modules: string): void {
  const sqlite = realpathSync(join(ROOT, 'control-plane/node_modules/better-sqlite3'));
  const bindings = realpathSync(join(dirname(sqlite), 'bindings'));
  const fileUri = realpathSync(join(dirname(bindings), 'file-uri-to-path'));
  const addon = 'build/Release/better_sqlite3.node';
  for (const part of ['lib', 'package.json', addon]) {
    const to = join(modules, 'better-sqlite3', part);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(sqlite, part), to, { recursive: true });
  }
  cpSync(bindings, join(modules, 'bindings'), { recursive: true, dereference: true });
  cpSync(fileUri, join(modules, 'file-uri-to-path'), { recursive: true, dereference: true });
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
