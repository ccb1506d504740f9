import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findMissingTools } from '../checkout/build-tools.mjs';
import { explainInstallFailure } from '../checkout/decide/explain-install-failure.mjs';
import { findNpmScript } from '../checkout/package-manager.mjs';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { keepFolder } from './package-cache.mjs';

const SOURCES = ['package.json', 'binding.gyp', 'src', 'deps', 'lib', 'LICENSE'];
/** What a program needs of it at run time. */
const RUN_TIME = ['package.json', 'LICENSE', 'lib', 'build/Release/better_sqlite3.node'];

/**
 * better-sqlite3 for the Node that a release carries, with what it loads, as the content of a `node_modules`.
 * Compiling takes a minute or two, and is done once for each pair of versions.
 *
 * @param {string} root
 * @param {string} cache
 * @param {string} nodeFolder the pinned Node for Linux, with its headers
 * @returns {Promise<string>}
 * @throws {SetupFailure} with what is missing, or the compiler's words
 */
export function provideNativePart(root, cache, nodeFolder) {
  const source = findPackage(join(root, 'control-plane'), 'better-sqlite3');
  const bindings = findPackage(source, 'bindings');
  const key = `${versionOf(source)}-node-${versionOf(nodeFolder)}-abi-${abiOf(nodeFolder)}`;
  return keepFolder(join(cache, 'better-sqlite3'), key, async (folder) => {
    const work = join(folder, 'work');
    copyParts(source, work, SOURCES);
    await compile(work, nodeFolder);
    copyParts(work, join(folder, 'better-sqlite3'), RUN_TIME);
    rmSync(work, { recursive: true });
    copyParts(bindings, join(folder, 'bindings'), ['package.json', 'bindings.js', 'LICENSE.md']);
    const helper = findPackage(bindings, 'file-uri-to-path');
    copyParts(helper, join(folder, 'file-uri-to-path'), ['package.json', 'index.js', 'LICENSE']);
    await proveLoading(folder, nodeFolder);
  });
}

/**
 * @param {string} folder
 * @param {string} nodeFolder
 */
async function proveLoading(folder, nodeFolder) {
  const probe = `new (require(${JSON.stringify(join(folder, 'better-sqlite3'))}))(':memory:').close()`;
  const modules = { ...process.env, NODE_PATH: folder };
  const node = join(nodeFolder, 'bin', 'node');
  const { exitCode, output } = await captureProgram(node, ['--eval', probe], folder, modules);
  if (exitCode === 0) return;
  throw new SetupFailure(
    `better-sqlite3 was compiled and does not load in Node ${versionOf(nodeFolder)}:\n${output}`,
  );
}

/**
 * @param {string} folder
 * @param {string} nodeFolder
 */
async function compile(folder, nodeFolder) {
  const npm = findNpmScript();
  const gyp =
    npm === null ? '' : join(dirname(dirname(npm)), 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (!existsSync(gyp)) {
    throw new SetupFailure('npm was not found beside this Node, and its node-gyp compiles the native part.');
  }
  const call = [gyp, 'rebuild', '--release', '--jobs=max'];
  const env = { ...withoutNpm(process.env), npm_config_nodedir: nodeFolder };
  const { exitCode, output } = await captureProgram(join(nodeFolder, 'bin', 'node'), call, folder, env);
  if (exitCode === 0) return;
  if (exitCode > 128) throw new SetupFailure('Interrupted. The next command goes on.', exitCode);
  const words = output
    .trim()
    .split('\n')
    .slice(-12)
    .map((line) => `  | ${line}`);
  const log = `"depPath":"better-sqlite3@\n${output}`;
  throw new SetupFailure(
    [
      `better-sqlite3 could not be compiled for Node ${versionOf(nodeFolder)} (exit code ${exitCode}):`,
      ...words,
      '',
      explainInstallFailure({ log, missingTools: findMissingTools(), platform: process.platform }),
    ].join('\n'),
  );
}

/**
 * A machine's own settings of npm, its Node's headers among them, win over what node-gyp is told on its command line.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
function withoutNpm(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^npm_/i.test(name)));
}

/**
 * As Node finds a package: in the `node_modules` of the folder that needs it, or of one above it.
 *
 * @param {string} from
 * @param {string} name
 */
function findPackage(from, name) {
  for (let folder = realpathSync(from); folder !== dirname(folder); folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return realpathSync(place);
  }
  throw new SetupFailure(`The package ${name} is not installed: this checkout is not whole.`);
}

/**
 * @param {string} from
 * @param {string} to
 * @param {readonly string[]} parts
 */
function copyParts(from, to, parts) {
  for (const part of parts) {
    mkdirSync(dirname(join(to, part)), { recursive: true });
    cpSync(join(from, part), join(to, part), { recursive: true });
  }
}

/** @param {string} folder of a package */
function versionOf(folder) {
  return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version);
}

/**
 * @param {string} nodeFolder
 * @returns {string} the number that native parts are built for
 */
function abiOf(nodeFolder) {
  const header = readFileSync(join(nodeFolder, 'include', 'node', 'node_version.h'), 'utf8');
  return /#define NODE_MODULE_VERSION (\d+)/.exec(header)?.[1] ?? 'unknown';
}
