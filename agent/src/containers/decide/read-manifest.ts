import { z } from 'zod';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const sizeSchema = z.number().int().min(0).max(1e15);

const imageSchema = z.object({
  config: z.object({ size: sizeSchema }),
  layers: z.array(z.object({ size: sizeSchema })).max(1_000),
});
const indexSchema = z.object({
  manifests: z
    .array(
      z.object({
        digest,
        platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
      }),
    )
    .max(1_000),
});

/** What a registry says under an image's name: the image, or a list of one per platform. */
export type Manifest =
  | { readonly kind: 'image'; readonly bytes: number }
  | { readonly kind: 'index'; readonly digest: string };

/**
 * An answer of `GET /v2/NAME/manifests/REFERENCE`, of Docker's schema 2 or OCI's.
 *
 * @param architecture as Go names it: `amd64`
 * @returns `null` for what is none, or has nothing for the platform; `bytes`: what a pull of all layers fetches
 */
export function readManifest(answer: unknown, architecture: string): Manifest | null {
  const image = imageSchema.safeParse(answer);
  if (image.success) {
    const { config, layers } = image.data;
    return { kind: 'image', bytes: layers.reduce((sum, { size }) => sum + size, config.size) };
  }
  const index = indexSchema.safeParse(answer);
  if (!index.success) return null;
  const found = index.data.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  return found === undefined ? null : { kind: 'index', digest: found.digest };
}

/**
 * Where a registry sends who may not read yet: `Bearer realm="https://…",service="…",scope="…"`.
 *
 * @returns the address of a token; `null` where it asks for something else
 */
export function readChallenge(header: string): URL | null {
  if (!/^bearer /i.test(header)) return null;
  const values = new Map(
    [...header.slice(0, 2_000).matchAll(/([a-z]+)="([^"]*)"/gi)].map(
      ([, name = '', value = '']) => [name.toLowerCase(), value] as const,
    ),
  );
  const realm = values.get('realm');
  if (realm === undefined || !URL.canParse(realm)) return null;
  const url = new URL(realm);
  for (const name of ['service', 'scope']) {
    const value = values.get(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/** Where the manifest of an image stands. @param reference a whole name, as `qualifyImage` makes it */
export function manifestPlace(reference: string): { readonly base: string; readonly reference: string } {
  const [named = '', wanted] = reference.split('@', 2);
  const slash = named.indexOf('/');
  const registry = named.slice(0, slash);
  const rest = named.slice(slash + 1);
  const colon = rest.lastIndexOf(':');
  const name = colon < 0 ? rest : rest.slice(0, colon);
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  // As both engines have it: on loopback no certificate is asked for.
  const scheme = isLoopback(host) ? 'http' : 'https';
  return {
    base: `${scheme}://${host}/v2/${name}/manifests/`,
    reference: wanted ?? (colon < 0 ? 'latest' : rest.slice(colon + 1)),
  };
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}
