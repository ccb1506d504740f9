import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { build } from 'esbuild';
import { runTool } from './run-tool.js';

/** Where Node is in the image; what a CDI spec brings in is written for it. */
const NODE_IN_IMAGE = '/usr/local/bin/node';

/** What a container of that image runs; vLLM's arguments follow. */
export const VLLM_ENTRYPOINT: readonly string[] = [NODE_IN_IMAGE, '/app/vllm.mjs'];

/**
 * Makes a tar archive of the root file system of an image that holds Node, the libraries that it loads, and the
 * simulated vLLM as one file; nothing else, not even a shell. It takes some seconds.
 */
export async function makeVllmArchive(archive: string, signal?: AbortSignal): Promise<void> {
  const root = `${archive}.root`;
  try {
    await makeRootFileSystem(root);
    await runTool('tar', ['-C', root, '-cf', archive, '.'], { signal });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function makeRootFileSystem(folder: string): Promise<void> {
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    cpSync(from, join(folder, to), { dereference: true });
  };
  put(process.execPath, NODE_IN_IMAGE);
  chmodSync(join(folder, NODE_IN_IMAGE), 0o755);
  for (const library of librariesOf(process.execPath)) put(library, library);
  for (const empty of ['tmp', 'root', 'etc']) mkdirSync(join(folder, empty), { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, `vllm-container-program${extname(import.meta.filename)}`)],
    outfile: join(folder, 'app', 'vllm.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
}

/** A fake `nvidia-smi` for that image, which has no shell to run it. */
export function writeNvidiaSmi(path: string, cards: readonly { uuid: string; name: string }[]): void {
  const lines = cards.map(({ uuid, name }, index) => `GPU ${index}: ${name} (UUID: ${uuid})`);
  writeFileSync(path, `#!${NODE_IN_IMAGE}\nconsole.log(${JSON.stringify(lines.join('\n'))});\n`);
  chmodSync(path, 0o755);
}

function librariesOf(program: string): string[] {
  const listed = spawnSync('ldd', [program], { encoding: 'utf8', timeout: 30_000 });
  if (listed.status !== 0) throw new Error(`ldd ${program}: ${listed.stderr}`);
  return [...listed.stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
