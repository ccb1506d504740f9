import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startProgress } from '../checkout/progress.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { describePackage } from './decide/describe-package.mjs';

const ONLY = /** @type {const} */ (['all', 'agent', 'agent-linux', 'agent-windows']);

const HELP = `Packages a release: agents as single executables, the control plane as an archive, and a manifest with the SHA-256 of each.

Usage: npm run package -- [--key FILE] [--out DIR] [--only WHAT] [--no-xz] [--fresh] [--release-version V] [--json]
       npm run package -- --verify DIR [--release-key FILE] [--json]

  --key FILE           signs the manifest: an Ed25519 private key, PEM; its public half is built into the programs,
                       which then take releases signed by it alone. Without one it is a development build: unsigned
  --out DIR            the release folder, made anew (.data/release, which "npm start" serves)
  --only WHAT          ${ONLY.join(', ')} (all)
  --no-xz              leaves out the xz archive, which takes as long as all the rest
  --fresh              makes all anew, the native part too; what npm gave before is not fetched again
  --release-version V  another version than package.json's, to rehearse an upgrade
  --verify DIR         packages nothing: judges what lies in DIR, as those do who install it
  --release-key FILE   the public half, PEM, for --verify
  --json               prints the result as JSON

Exit codes: 0 done; 1 failed, or what was verified is not what its manifest says; 2 wrong usage; 130 interrupted.
It needs Linux on x64, npm's registry for the first time, and Python 3, make and a C++ compiler for the control plane.

Examples:
  openssl genpkey -algorithm ed25519 -out release-key.pem     # once; keep it away from hosts and repositories
  npm run package -- --key release-key.pem
  npm run package -- --only agent-linux --no-xz
  openssl pkey -in release-key.pem -pubout -out release-key.pub.pem
  npm run package -- --verify .data/release --release-key release-key.pub.pem
`;

/**
 * `npm run package`.
 *
 * @param {string} root of the checkout
 * @param {readonly string[]} args
 * @param {(root: string) => Promise<void>} prepare installs and compiles
 * @throws {SetupFailure}
 */
export async function runPackage(root, args, prepare) {
  const values = readArguments(args);
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const only = ONLY.find((each) => each === values.only);
  if (only === undefined) throw usage(`--only: expected one of ${ONLY.join(', ')}, found ${values.only}`);
  await prepare(root);
  if (values.verify !== undefined) {
    await verify(root, resolve(values.verify), values);
    return;
  }
  const startedMs = performance.now();
  const wish = {
    ...{
      out: resolve(values.out ?? join(root, '.data', 'release')),
      only,
      xz: !values['no-xz'],
      fresh: values.fresh,
    },
    keyFile: values.key === undefined ? null : resolve(values.key),
    version: values['release-version'] ?? null,
  };
  const progress = startProgress();
  try {
    // Here, not above: before the packages are installed there is none of what it uses.
    const { packageRelease } = await import('./package-release.mjs');
    const packaged = await packageRelease(root, wish, progress);
    const report = { ...packaged, seconds: (performance.now() - startedMs) / 1_000 };
    progress.close();
    process.stdout.write(`${values.json ? JSON.stringify(report) : describePackage(report)}\n`);
  } finally {
    progress.close();
  }
}

/** @param {readonly string[]} args */
function readArguments(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        key: { type: 'string' },
        out: { type: 'string' },
        only: { type: 'string', default: 'all' },
        'no-xz': { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'release-version': { type: 'string' },
        verify: { type: 'string' },
        'release-key': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} message */
function usage(message) {
  return new SetupFailure(`${message}\nTry: npm run package -- --help`, 2);
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {{ 'release-key'?: string | undefined, json: boolean }} values
 */
async function verify(root, folder, values) {
  /** @type {import('./release-facts.mjs').Shared} */
  const shared = await import(pathToFileURL(join(root, 'shared', 'dist', 'index.js')).href);
  const { verifyFolder } = await import('./verify-folder.mjs');
  const keyFile = values['release-key'];
  const { signed, faults } = await verifyFolder(
    shared,
    folder,
    keyFile === undefined ? null : readKey(keyFile),
  );
  if (values.json) process.stdout.write(`${JSON.stringify({ folder, signed, faults })}\n`);
  else {
    const trust = signed ? 'signed by that key' : 'its signature was not judged (--release-key FILE)';
    const lines = faults.length === 0 ? [`${folder} is what its manifest says; ${trust}.`] : faults;
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  process.exitCode = faults.length === 0 ? 0 : 1;
}

/** @param {string} file */
function readKey(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usage(`--release-key: ${file} cannot be read`);
  }
}
