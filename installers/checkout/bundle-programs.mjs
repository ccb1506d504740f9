import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupFailure } from './setup-failure.mjs';

/**
 * What each package starts as a program: its command line, and what runs in a thread or child of its own, which is
 * looked for beside it. A package that holds a native part cannot be bundled.
 *
 * @type {readonly { name: string, entries: readonly string[], external: readonly string[] }[]}
 */
const packages = [
  {
    name: 'control-plane',
    entries: [
      'cli/main.js',
      'registry/observation-worker.js',
      'registry/reader-worker.js',
      'registry/backup/backup-worker.js',
      'registry/integrity-worker.js',
      'certificate/certificate-worker.js',
    ],
    external: ['better-sqlite3', '@azure/identity', '@azure/keyvault-secrets'],
  },
  { name: 'agent', entries: ['cli/main.js', 'sensors/gpu/inventory-child.js'], external: [] },
];

/** CommonJS in a bundle asks for Node's own modules, and an ES module has no `require`. */
const REQUIRE =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);";

/**
 * What our programs use of undici. Its front door loads its fetch, caches, mocks and proxies as well: 8 MB of every
 * control plane. The version is pinned, and a name that is missing here fails the bundling.
 */
const LEAN_UNDICI = `
import api from 'undici/lib/api/index.js';
import buildConnector from 'undici/lib/core/connect.js';
import errors from 'undici/lib/core/errors.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Client from 'undici/lib/dispatcher/client.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
Object.assign(Dispatcher.prototype, api);
export { Agent, buildConnector, Client, errors, Pool };
`;

/** zod's own words are English ones for us; it brings those of fifty languages, one of them in every file. */
const NO_LOCALES = 'export {};';

/**
 * @param {string} packageFolder from where the packages are found
 * @returns {import('esbuild').Plugin}
 */
const lean = (packageFolder) => ({
  name: 'lean',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'lean' }));
    build.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, ({ importer }) =>
      /[\\/]zod[\\/]v4[\\/]/.test(importer) ? { path: 'locales', namespace: 'lean' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => ({
      contents: path === 'undici' ? LEAN_UNDICI : NO_LOCALES,
      resolveDir: packageFolder,
    }));
  },
});

/**
 * Puts each program and all that it needs into a few files, `dist/program/main.js` and its like: reading hundreds of
 * small ones is half of the time that a start takes. Where nothing was compiled since, nothing is done.
 *
 * What is loaded when first needed and is CommonJS has nothing but a default export in a bundle.
 *
 * @param {string} root
 * @throws {SetupFailure} with the bundler's errors
 */
export async function bundlePrograms(root) {
  for (const each of packages) {
    const folder = join(root, each.name, 'dist', 'program');
    const stampFile = join(folder, 'made-of');
    const stamp = stampOf(root, each.name);
    if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) continue;
    // The stamp goes first: a bundling that is cut off is begun again.
    rmSync(folder, { recursive: true, force: true });
    await bundle(each.name, manyFiles(root, each, folder));
    writeFileSync(stampFile, stamp);
  }
}

/**
 * How a program of ours becomes text, whatever files it ends up in.
 *
 * @param {string} root
 * @param {string} name of its package
 * @returns {import('esbuild').BuildOptions}
 */
const plainText = (root, name) => ({
  bundle: true,
  platform: 'node',
  plugins: [lean(join(root, name))],
  // V8 keeps the text of what it runs for as long as it runs, and one letter outside Latin-1 doubles a whole file:
  // what stands in comments costs 5 MB of every control plane. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  lineLimit: 200,
  logLevel: 'silent',
});

/**
 * A command line, and beside it what it starts from files.
 *
 * @param {string} root
 * @param {(typeof packages)[number]} what
 * @param {string} folder
 * @returns {import('esbuild').BuildOptions}
 */
const manyFiles = (root, { name, entries, external }, folder) => ({
  ...plainText(root, name),
  entryPoints: entries.map((entry) => join(root, name, 'dist', entry)),
  entryNames: '[name]',
  outdir: folder,
  splitting: true,
  format: 'esm',
  target: 'node20',
  external: [...external],
  banner: { js: REQUIRE },
});

/**
 * The control plane's program for an archive of its own, in which nothing but the native part is beside it.
 *
 * @param {string} root
 * @param {string} folder
 * @param {string} build what `shared/src/release/build-info.ts` reads
 * @returns {Promise<string[]>} the files that went in
 * @throws {SetupFailure} with the bundler's errors
 */
export function bundlePackagedControlPlane(root, folder, build) {
  const controlPlane = packages.find(({ name }) => name === 'control-plane');
  if (controlPlane === undefined) throw new Error('there is no control plane to be bundled');
  return bundle(controlPlane.name, {
    ...manyFiles(root, controlPlane, folder),
    external: ['better-sqlite3'],
    define: { AI_FABRIC_BUILD: JSON.stringify(build) },
  });
}

/**
 * The agent's program in one file, as a single executable takes it: CommonJS, with nothing beside it.
 *
 * @param {string} root
 * @param {string} file
 * @param {string} build what `shared/src/release/build-info.ts` reads
 * @returns {Promise<string[]>} the files that went in
 * @throws {SetupFailure} with the bundler's errors
 */
export function bundlePackagedAgent(root, file, build) {
  return bundle('agent', {
    ...plainText(root, 'agent'),
    entryPoints: [join(root, 'agent', 'dist', 'cli', 'main.js')],
    outfile: file,
    format: 'cjs',
    target: 'node22',
    // A single executable has no loader of modules: what is imported later is called then.
    supported: { 'dynamic-import': false },
    define: { AI_FABRIC_BUILD: JSON.stringify(build) },
  });
}

/**
 * @param {string} name of the package, for its errors
 * @param {import('esbuild').BuildOptions} options
 * @returns {Promise<string[]>} the files that went in, in full
 */
async function bundle(name, options) {
  // Here, not above: before the packages are installed there is none.
  const { build, stop } = await import('esbuild');
  try {
    const { metafile } = await build({ ...options, metafile: true });
    return Object.keys(metafile.inputs).map((file) => resolve(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SetupFailure(`The programs of ${name} could not be bundled:\n${reason}`);
  } finally {
    // Its service would live as long as the program that is started next in this process.
    await stop();
  }
}

/**
 * Stands for the compiled sources and the installed packages: the compiler writes its build info whenever it writes
 * anything, the installer its stamp.
 *
 * @param {string} root
 * @param {string} name
 */
function stampOf(root, name) {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  const files = [`${name}/dist/.tsbuildinfo`, 'shared/dist/.tsbuildinfo', 'node_modules/.ai-fabric-setup'];
  for (const file of files) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`\n${file} ${mtimeMs} ${size}`);
  }
  return hash.digest('hex');
}
