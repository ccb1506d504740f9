/**
 * @typedef {object} ManifestSummary
 * @property {string} version
 * @property {string | null} commit
 * @property {number} protocol
 * @property {string | null} keySha256
 * @property {readonly { name: string, bytes: number }[]} artefacts
 *
 * @typedef {object} PackageReport
 * @property {string} out
 * @property {number} seconds that the packaging took
 * @property {ManifestSummary} manifest
 * @property {Readonly<Record<string, number>>} startMs
 */

/**
 * What a packaging ends with, for people.
 *
 * @param {PackageReport} report
 * @returns {string}
 */
export function describePackage({ out, seconds, manifest, startMs }) {
  const { version, commit, protocol, keySha256, artefacts } = manifest;
  const source = commit === null ? 'of no known commit' : `of commit ${shortCommit(commit)}`;
  const trust =
    keySha256 === null
      ? 'NOT SIGNED: a development build (--key FILE signs one)'
      : `signed by the release key ${keySha256.slice(0, 16)}…`;
  const width = Math.max(...artefacts.map(({ name }) => name.length));
  const lines = artefacts.map(({ name, bytes }) => {
    const start = startMs[name] === undefined ? '' : `, its program starts in ${startMs[name]} ms`;
    return `  ${name.padEnd(width)}  ${sizeText(bytes).padStart(8)}${start}`;
  });
  return [
    `AI Fabric ${version} ${source}, protocol ${protocol}, ${trust}`,
    ...lines,
    `in ${out}, after ${seconds.toFixed(1)} s`,
    'Next: "npm start" serves it under /install/; docs/packaging.md tells the rest.',
  ].join('\n');
}

/** @param {number} bytes */
function sizeText(bytes) {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** @param {string} commit */
function shortCommit(commit) {
  return `${commit.slice(0, 7)}${commit.endsWith('-dirty') ? ', changed since' : ''}`;
}
