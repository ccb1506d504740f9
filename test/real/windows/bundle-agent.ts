import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('../../../agent/dist/', import.meta.url));

/** CommonJS in the bundle asks for Node's own modules, and an ES module has no `require`. */
const REQUIRE =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);";

/** Puts the built agent into a folder as it is to ship: `agent.js`, which needs no folder of packages beside it. */
export async function bundleAgent(folder: string): Promise<void> {
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
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
}
