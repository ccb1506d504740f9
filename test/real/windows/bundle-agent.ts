import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('../../../agent/dist/', import.meta.url));

/** CommonJS in the bundle asks for Node's own modules, and an ES module has no `require`. */
const REQUIRE =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);";

/**
 * The built agent as it is to ship: files that need no folder of packages beside them.
 *
 * @returns the program's file
 */
export async function bundleAgent(folder: string): Promise<string> {
  await build({
    // The child is looked for beside the program.
    entryPoints: {
      agent: join(DIST, 'cli/main.js'),
      'inventory-child': join(DIST, 'sensors/gpu/inventory-child.js'),
    },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  return join(folder, 'agent.mjs');
}
