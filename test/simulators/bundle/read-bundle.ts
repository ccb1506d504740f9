import { readFile } from 'node:fs/promises';
import { BUNDLE_FOLDER, type BundleManifest, bundleManifestSchema } from '@ai-fabric/agent';
import { parseTarGzip } from 'nanotar';

/** What a host's "ai-fabric-agent support-bundle" wrote. */
export interface SupportBundle {
  readonly manifest: BundleManifest;
  /** By its path below the archive's folder. */
  readonly texts: ReadonlyMap<string, string>;
}

/** @throws Error where the file is no bundle of an agent */
export async function readBundle(path: string): Promise<SupportBundle> {
  const entries = await parseTarGzip(await readFile(path)).catch((error: unknown) => {
    throw new Error(`${path} is no archive (.tar.gz): ${String(error)}`);
  });
  const texts = new Map(entries.map(({ name, text }) => [name.slice(BUNDLE_FOLDER.length + 1), text ?? '']));
  const manifest = bundleManifestSchema.safeParse(JSON.parse(texts.get('manifest.json') ?? 'null'));
  if (manifest.success) return { manifest: manifest.data, texts };
  throw new Error(
    `${path} is no support bundle of an agent: its manifest.json is missing or of another format`,
  );
}
