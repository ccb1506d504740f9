import { access, link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createTar } from 'nanotar';
import { BUNDLE_FOLDER } from './bundle-manifest.js';
import type { PackedBundle } from './pack-findings.js';

/** Why there is no bundle. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

const README = `What "ai-fabric-agent support-bundle" found on this host, for whoever is asked for help. manifest.json says what each file is the
answer of, what is missing and why, and how many values are masked. Secrets are masked; names of hosts, models and containers,
addresses and hardware are not, unless --redact-names was given: look before you hand it on.
`;

/**
 * Writes the archive (.tar.gz) for its owner alone, whole or not at all.
 *
 * @param protect takes others' rights to a file away where its mode does not
 * @returns its size in bytes @throws BundleError where there is a file already, or it cannot be written
 */
export async function writeBundle(
  path: string,
  { files, manifest }: PackedBundle,
  protect: (file: string) => Promise<unknown>,
): Promise<number> {
  const texts = [{ name: 'README.txt', text: README }, ...files];
  const archive = createTar(
    texts.map(({ name, text }) => ({ name: `${BUNDLE_FOLDER}/${name}`, data: text })),
    { attrs: { mode: '600', mtime: Date.parse(manifest.madeAt), uid: 0, gid: 0 } },
  );
  const bytes = await promisify(gzip)(archive);
  const beside = join(dirname(path), `.${process.pid}.ai-fabric-bundle.new`);
  try {
    await rm(beside, { force: true });
    const file = await open(beside, 'wx', 0o600);
    try {
      await protect(beside);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await takePlace(beside, path);
  } catch (error) {
    throw new BundleError(explain(path, error), { cause: error });
  } finally {
    await rm(beside, { force: true });
  }
  return bytes.length;
}

/** Unlike a rename, a link takes no other file's place; some file systems have none. */
async function takePlace(beside: string, path: string): Promise<void> {
  try {
    await link(beside, path);
  } catch (error) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw error;
    await rename(beside, path);
  }
}

function explain(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EEXIST') return `${path} is there already: name a file that is not there yet with --out.`;
  const why = error instanceof Error ? error.message : String(error);
  return `${path} cannot be written (${why}). Name another place with --out.`;
}
