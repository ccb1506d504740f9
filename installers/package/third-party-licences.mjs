import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The licences of all packages that went into a program, as they ask to be passed on with it.
 *
 * @param {readonly string[]} files that went in
 * @param {readonly string[]} folders of packages that are there whole, Node's among them
 * @returns {string}
 */
export function gatherLicences(files, folders) {
  const packages = new Map();
  for (const folder of [...folders, ...files.map(packageOf)]) {
    if (folder === null) continue;
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    packages.set(`${name} ${version}`, {
      licence: String(license ?? 'see below'),
      text: licenceText(folder),
    });
  }
  return [...packages]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([title, { licence, text }]) => `── ${title} (${licence})\n\n${text}\n`)
    .join('\n');
}

/**
 * @param {string} file
 * @returns {string | null} the folder of the package that it is of; none of our own
 */
function packageOf(file) {
  const [, within = ''] = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file) ?? [];
  if (within === '') return null;
  const folder = file.slice(0, file.lastIndexOf(within) + within.length);
  return existsSync(join(folder, 'package.json')) ? folder : packageOf(dirname(folder));
}

/** @param {string} folder */
function licenceText(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.\w+)?$/i.test(name));
  return file === undefined
    ? '(its package has no text of it)'
    : readFileSync(join(folder, file), 'utf8').trim();
}
