const CHECKOUT = /^(.*)[\\/]control-plane[\\/](?:src|dist)[\\/]/;
const LIBRARY = /^(.*)[\\/][^\\/]+[\\/][^\\/]+$/;

/**
 * Where what hosts install from lies when nobody says: `release` beside the folder of a packaged program, `.data/release`
 * in a checkout.
 *
 * @param ownFile this program's, absolute
 * @returns `null`: neither is known
 */
export function chooseReleaseDirectory(ownFile: string, packaged: boolean): string | null {
  const separator = ownFile.includes('\\') ? '\\' : '/';
  const [, parent] = (packaged ? LIBRARY : CHECKOUT).exec(ownFile) ?? [];
  if (parent === undefined) return null;
  return [parent, ...(packaged ? ['release'] : ['.data', 'release'])].join(separator);
}
