import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../bench/machine/free-ports.js';
import { BootedFabric } from '../harness/boot-fabric.js';
import { curl, describeReal, describeThorough } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { type RunbookBlock, readRunbook } from '../harness/runbook.js';
import { RunbookShell } from '../harness/runbook-shell.js';
import { temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';

const DIRECTORY = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));
const STARTS_ALL = 'start-stop-restart.md';
const COMMAND_TIMEOUT_MS = 120_000;

const files = readdirSync(DIRECTORY).filter((file) => file.endsWith('.md'));
const blocksOf = (file: string): RunbookBlock[] => readRunbook(join(DIRECTORY, file));
const titleOf = ({ line, commands }: RunbookBlock): string => `line ${line}: ${commands.split('\n')[0]}`;

describeReal('a runbook that a running fabric is asked by', [curl], () => {
  let fabric: BootedFabric;
  let shell: RunbookShell;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        motoko: { agent: 'none' },
        armitage: { mayBeAway: true, engines: { 'qwen2.5-7b-armitage': {} } },
        wintermute: { mayBeAway: true, agent: 'none' },
      },
      roles: { 'chat-fast': { targets: ['qwen2.5-7b-armitage'] } },
      aliases: { 'local/chat': 'chat-fast' },
    });
    const { url, tlsUrl, dataDirectory } = fabric.controlPlane;
    shell = new RunbookShell({ plainPort: portOf(url), tlsPort: portOf(tlsUrl), dataDirectory });
  });
  afterAll(async () => {
    await shell?.close();
    await fabric?.close();
  });

  // All of them are processes of their own.
  describeThorough('has its commands run', {}, () => {
    describe.each(files.filter((file) => file !== STARTS_ALL && blocksOf(file).length > 0))('%s', (file) => {
      test.each(blocksOf(file).map((block) => [titleOf(block), block] as const))(
        '%s',
        { timeout: COMMAND_TIMEOUT_MS },
        async (_, block) => {
          const result = await shell.run(block);
          expect(result, result.stderr).toMatchObject({ exitCode: 0 });
        },
      );
    });
  });
});

describeReal(STARTS_ALL, [curl], () => {
  const home = temporaryDirectory();
  let plainUrl: string;
  let shell: RunbookShell;

  beforeAll(async () => {
    const [plainPort = 0, tlsPort = 0] = await freePorts(2);
    plainUrl = `http://127.0.0.1:${plainPort}`;
    shell = new RunbookShell({ plainPort, tlsPort, dataDirectory: join(home.path, 'data') });
  });
  afterAll(async () => {
    await shell?.close();
    home.remove();
  });

  const data = () => ['--data', join(home.path, 'data')];

  test('takes a fabric from nothing to a linked host, and stops it', { timeout: 180_000 }, async () => {
    for (const block of blocksOf(STARTS_ALL)) {
      if (block.stays) {
        shell.stay(block);
        await eventually(`what ${titleOf(block)} starts is there`, () => isThere(block), 60_000);
        continue;
      }
      const input = block.commands.includes('--token-file -') ? await pastedToken() : '';
      const result = await shell.run(block, input);
      expect(result, `${titleOf(block)}\n${result.stderr}`).toMatchObject({ exitCode: 0 });
    }
    for (const { exitCode, stderr } of await shell.stopAll()) expect(exitCode, stderr).toBe(0);
  });

  const pastedToken = async (): Promise<string> => (await runCli(['token', 'create', ...data()])).stdout;

  async function isThere({ commands }: RunbookBlock): Promise<boolean> {
    if (!commands.startsWith('ai-fabric-agent')) {
      const answer = await fetch(`${plainUrl}/readyz`).catch(() => null);
      return answer?.ok === true;
    }
    const { stdout } = await runCli(['hosts', '--json', ...data()]);
    return stdout.includes('"presence": "online"');
  }
});

describe('runbooks', () => {
  test('have an entry for each failure that the design names', () => {
    const headings = readFileSync(join(DIRECTORY, 'failures.md'), 'utf8').match(/^## .*$/gm) ?? [];
    expect(headings.length).toBeGreaterThanOrEqual(9);
  });

  test('link to files that are there', () => {
    const missing = files.flatMap((file) => {
      const links = readFileSync(join(DIRECTORY, file), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
      return [...links].map(([, target = '']) => target).filter((to) => !existsSync(join(DIRECTORY, to)));
    });
    expect(missing).toEqual([]);
  });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}
