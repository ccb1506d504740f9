import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'install.md'), 'utf8');

/** It types commands of the page as they stand there; these are run by others, and what stands there. */
const TYPED_BY = 'test/real/systemd-printed-line.test.ts';
const RUN_BY: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'npm run package': ['test/harness/packaged-release.ts', 'runPackage('],
  'sudo ai-fabric service rollback': ['test/real/installed-control-plane.test.ts', "'--rollback'"],
  'sudo ai-fabric-agent upgrade': ['test/real/systemd-upgrade.test.ts', "say('upgrade', "],
  'sudo ai-fabric hosts upgrade armitage': [
    'test/journeys/agent-upgrades.test.ts',
    "cli('upgrade', 'armitage'",
  ],
  'sudo ai-fabric hosts upgrade --all --canary 1': [
    'test/journeys/agent-upgrades.test.ts',
    "cli('upgrade', '--all', '--canary', '1'",
  ],
  'sudo sh install-control-plane.sh ai-fabric-control-plane-linux-x64.tar.gz --replace-litellm': [
    'test/real/installed-control-plane.test.ts',
    "'--replace-litellm'",
  ],
  'sudo sh /opt/ai-fabric/current/install-control-plane.sh --undo-replace-litellm': [
    'test/real/installed-control-plane.test.ts',
    "installed('--undo-replace-litellm')",
  ],
};

it.each(commandsOf(PAGE))('is run by a test: %s', (command) => {
  const [file, text] = RUN_BY[command] ?? [TYPED_BY, command];
  expect(readFileSync(join(ROOT, file), 'utf8')).toContain(text);
});

/** Lines of its blocks that begin as commands of a shell do, without what is said beside them. */
function commandsOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.split('\n'));
  const commands = lines
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/ +#.*$/, '')
        .trimEnd(),
    )
    .filter((line) => /^(sudo|npm|ai-fabric|ai-fabric-agent|curl) /.test(line));
  return [...new Set(commands)];
}
