export interface Checksum {
  readonly path: string;
  readonly sha256: string;
}

const LINE = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/;

/** The lines of a SHA256SUMS; `null`: it is none, or names a file outside its folder. */
export function readChecksums(text: string): Checksum[] | null {
  const lines = text.split('\n').filter((line) => line !== '');
  const sums = lines.map((line): Checksum | null => {
    const [, sha256 = '', path = ''] = LINE.exec(line) ?? [];
    const isInside = path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
    return isInside ? { path, sha256 } : null;
  });
  const sound = sums.filter((each) => each !== null);
  return sound.length === lines.length && sound.length > 0 ? sound : null;
}

/** What differs between the files of a folder and its list; empty: nothing. */
export function compareFiles(
  sums: readonly Checksum[],
  found: Readonly<Record<string, string>>,
): readonly string[] {
  const listed = new Set(sums.map(({ path }) => path));
  return [
    ...sums
      .filter(({ path, sha256 }) => found[path] !== sha256)
      .map(({ path }) => (Object.hasOwn(found, path) ? `${path} is not what it was` : `${path} is missing`)),
    ...Object.keys(found)
      .filter((path) => !listed.has(path))
      .map((path) => `${path} does not belong to it`),
  ];
}
