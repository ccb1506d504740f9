const CHECKOUT = /^(.*)[\\/]control-plane[\\/](?:src|dist)[\\/]/;
/** As `installers/package/control-plane-archive.mjs` lays it out. */
const ARCHIVE = /^(.*)[\\/]lib[\\/]control-plane[\\/]dist[\\/]program[\\/][^\\/]+$/;

/**
 * Where what hosts install from lies when nobody says: `release` in the root of the archive of a packaged program, `.data/release`
 * in a checkout.
 *
 * @param ownFile this program's, absolute
 * @returns `null`: neither is known
 */
export function chooseReleaseDirectory(ownFile: string, packaged: boolean): string | null {
  const separator = ownFile.includes('\\') ? '\\' : '/';
  const [, parent] = (packaged ? ARCHIVE : CHECKOUT).exec(ownFile) ?? [];
  if (parent === undefined) return null;
  return [parent, ...(packaged ? ['release'] : ['.data', 'release'])].join(separator);
}
