import { execFileSync, spawn } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ReleaseManifest, releaseKeySha256, verifyRelease } from '@ai-fabric/shared';
import { holdPart } from './hold-part.js';
import type { Preparation, RealPart } from './real-part.js';
import { UnpackedRelease } from './unpacked-release.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOME = join(ROOT, '.data', 'test-release');
const KEY_FILE = join(HOME, 'release-key.pem');
/** What a release is made of, beside the compiled programs. */
const SOURCES = ['installers', 'migrations', 'LICENSE'];

/** For the hook that packages: the first time of a checkout compiles a native part and fetches two Nodes. */
export const PACKAGING_TIMEOUT_MS = 15 * 60_000;

export const packagedReleasePart: RealPart = {
  name: 'a packaged release',
  absence: () => {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      return 'releases are packaged on Linux on x64';
    if (process.env['AI_FABRIC_QUICK_TESTS'] !== '1') return null;
    return 'packaging takes minutes the first time: npm test -- --thorough';
  },
  required: true,
};

export interface PackagedReleaseOptions {
  /** Another than the packages have: the release that an upgrade goes to. */
  readonly version?: string;
  /** By default all that is served; the control plane's archive takes longest. */
  readonly only?: 'all' | 'agent' | 'agent-linux' | 'agent-windows';
  /** Without one it is a development build: unsigned. */
  readonly signed?: boolean;
}

/**
 * A release of this checkout, as `npm run package` makes it, signed by the tests' own key. It is made once for what it
 * is made of, and kept under `.data`. Tests leave its folder as it is: `copyTo` gives them one of their own.
 *
 * @throws Error with the packaging's words
 */
export async function packagedRelease(options: PackagedReleaseOptions = {}): Promise<PackagedRelease> {
  // Whoever asks for the same one meanwhile finds it made; two that package at once would take the time of both.
  const held = await holdPart('release');
  try {
    return await makeRelease(options);
  } finally {
    held.release();
  }
}

/**
 * Releases that a group of tests has before it waits for a part that it has for itself: packaging takes minutes, in which
 * others may have that part.
 */
export class PackagedAhead implements Preparation {
  readonly timeoutMs = PACKAGING_TIMEOUT_MS;
  readonly #wanted: readonly PackagedReleaseOptions[];
  readonly #made: PackagedRelease[] = [];

  constructor(...wanted: readonly PackagedReleaseOptions[]) {
    this.#wanted = wanted;
  }

  async run(): Promise<void> {
    for (const options of this.#wanted) this.#made.push(await packagedRelease(options));
  }

  /** @param index in the order in which they were wanted @throws Error before they are made */
  release(index = 0): PackagedRelease {
    const made = this.#made[index];
    if (made === undefined) throw new Error(`release ${index} is not packaged yet`);
    return made;
  }
}

async function makeRelease({ version, only = 'all', signed = true }: PackagedReleaseOptions) {
  mkdirSync(HOME, { recursive: true });
  const name = [only, version ?? 'own', signed ? 'signed' : 'unsigned'].join('-');
  const folder = join(HOME, name);
  const stampFile = join(HOME, `${name}.stamp`);
  const stamp = stampOf();
  const isMade = existsSync(join(folder, 'manifest.json')) && existsSync(stampFile);
  if (!isMade || readFileSync(stampFile, 'utf8') !== stamp) {
    rmSync(stampFile, { force: true });
    const flags = [
      ...['--out', folder, '--only', only, '--no-xz'],
      ...(version === undefined ? [] : ['--release-version', version]),
      ...(signed ? ['--key', keyFile()] : []),
    ];
    const { exitCode, stdout, stderr } = await runPackaging(flags);
    if (exitCode !== 0) throw new Error(`the release could not be packaged:\n${stdout}${stderr}`);
    writeFileSync(stampFile, stamp);
  }
  return new PackagedRelease(folder, signed);
}

/**
 * Runs `npm run package` to its end, from what is compiled already: while tests run nothing may be compiled anew.
 *
 * @returns its exit code and the last of what it said
 */
export async function runPackaging(
  flags: readonly string[],
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const command = "import { runPackage } from './installers/package/package-command.mjs';";
  const script = `${command} await runPackage(process.cwd(), process.argv.slice(1), async () => {});`;
  const call = ['--input-type=module', '--eval', script, '--', ...flags];
  const child = spawn(process.execPath, call, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] = (said[name] + text).slice(-64_000);
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode: exitCode ?? 1, ...said };
}

export class PackagedRelease extends UnpackedRelease {
  /** With `manifest.json`, `manifest.sig` and all that they name. */
  readonly folder: string;
  readonly manifest: ReleaseManifest;
  /** That is built into its programs, PEM; `null`: a development build. */
  readonly releaseKeyPem: string | null;

  constructor(folder: string, signed: boolean) {
    super(folder, `${folder}-unpacked`);
    this.folder = folder;
    this.releaseKeyPem = signed ? publicPem() : null;
    const signature = signed ? readFileSync(join(folder, 'manifest.sig'), 'utf8') : null;
    const verdict = verifyRelease(readFileSync(join(folder, 'manifest.json')), signature, this.releaseKeyPem);
    if (!verdict.ok) throw new Error(`the packaged release is refused: ${verdict.detail}`);
    this.manifest = verdict.manifest;
  }

  /** A folder of the test's own, which it may spoil. */
  copyTo(folder: string): void {
    cpSync(this.folder, folder, { recursive: true });
  }
}

/**
 * Writes a manifest and its signature into a release folder that a test changed; sizes and hashes of the artefacts are
 * those of the files that are there.
 *
 * @param edit what else the manifest is to say
 * @param key by default the tests' own, which packaged programs believe
 */
export function signAnew(
  folder: string,
  edit: (manifest: ReleaseManifest) => ReleaseManifest,
  key = createPrivateKey(readFileSync(keyFile())),
): void {
  const file = join(folder, 'manifest.json');
  const edited = edit(JSON.parse(readFileSync(file, 'utf8')) as ReleaseManifest);
  const artefacts = edited.artefacts.map((artefact) => {
    const content = readFileSync(join(folder, artefact.name));
    return { ...artefact, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  });
  const manifest = { ...edited, artefacts, keySha256: releaseKeySha256(pemOf(key)) };
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(file, text);
  const signature = sign(null, text, key);
  writeFileSync(join(folder, 'manifest.sig'), `${signature.toString('base64')}\n`);
}

function publicPem(): string {
  return pemOf(createPrivateKey(readFileSync(keyFile())));
}

/** The public half. */
function pemOf(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}

/** Made once for each checkout; it signs nothing but what tests make. */
function keyFile(): string {
  if (existsSync(KEY_FILE)) return KEY_FILE;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
  mkdirSync(HOME, { recursive: true });
  try {
    writeFileSync(KEY_FILE, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return KEY_FILE;
}

function stampOf(): string {
  const hash = createHash('sha256').update(execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT }));
  for (const program of ['agent', 'control-plane']) {
    hash.update(readFileSync(join(ROOT, program, 'dist', 'program', 'made-of')));
  }
  for (const file of SOURCES.flatMap((source) => filesOf(join(ROOT, source)))) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`\n${file} ${mtimeMs} ${size}`);
  }
  return hash.digest('hex');
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((file) => join(path, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}
