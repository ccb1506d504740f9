/**
 * Why this Node cannot run the checkout, or null where it can.
 *
 * 20.19 and 22.12 are where `require()` of an ES module came to each line; the tools that build and test
 * the checkout need it (vite's and knip's own `engines`), and 21 never got it.
 *
 * @param {string} version as in `process.versions.node`, without a leading `v`
 * @returns {string | null}
 */
export function refuseNodeVersion(version) {
  const parts = version.split('.').map(Number);
  const major = parts[0] || 0;
  const minor = parts[1] || 0;
  const enough = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (enough) return null;
  return (
    'AI Fabric needs Node 20.19 or later (of the 22 line 22.12 or later), and this is Node ' +
    version +
    '.\nInstall a current one from https://nodejs.org or with your version manager, then run the command again.'
  );
}
