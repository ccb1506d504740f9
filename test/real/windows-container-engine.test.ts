import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal, wine } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { windowsNode } from './windows/windows-node.js';
import { WinePrefix } from './windows/wine-prefix.js';

const CARD = 'GPU-11111111-2222-3333-4444-555555555555';

/** Node and the named pipe are those of Windows, as Wine has them; the engine behind the pipe is simulated. */
describeReal('the container engine client on Windows', [wine, windowsNode], () => {
  let prefix: WinePrefix;

  beforeAll(async () => {
    prefix = new WinePrefix();
    await build({
      entryPoints: ['pipe-engine', 'pipe-client'].map((name) => ({
        in: join(import.meta.dirname, 'windows', `${name}-program.ts`),
        out: name,
      })),
      outdir: prefix.drive,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      banner: {
        js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
      },
      logLevel: 'silent',
    });
  });

  afterAll(async () => {
    await prefix?.close();
  });

  async function ask(...args: string[]): Promise<unknown> {
    const program = prefix.node('C:\\pipe-client.mjs', args, {});
    expect(await program.exited(), program.output).toBe(0);
    return JSON.parse(program.output);
  }

  it('says that somebody has to sign in while there is no pipe', async () => {
    expect(await ask('probe')).toMatchObject({ reachable: false, code: 'sign_in_needed' });
  });

  it('finds Docker Desktop on its pipe', async () => {
    const engine = prefix.node('C:\\pipe-engine.mjs', [CARD], {});
    await eventually(
      'the engine listens',
      () => !engine.running || engine.output.includes('listening'),
      60_000,
    );
    expect(await ask('probe'), engine.output).toEqual({
      reachable: true,
      info: expect.objectContaining({
        flavour: 'docker',
        desktop: true,
        endpoint: '\\\\.\\pipe\\docker_engine',
      }),
    });
  });

  it('pulls, starts, looks inside, reads the log, stops and removes, and hears of it all', async () => {
    expect(await ask('run', CARD)).toEqual({
      lastProgress: 600e6,
      health: 200,
      card: { exitCode: 0, output: `GPU 0: NVIDIA GeForce RTX 4070 (UUID: ${CARD})\n` },
      log: [expect.stringContaining('vLLM API server'), expect.stringContaining('--model Qwen/Qwen2.5-7B')],
      state: 'exited',
      kinds: ['resynced', 'create', 'start', 'die', 'stop', 'remove'],
    });
  });
});
