import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['install', 'install-linux', 'install-control-plane', 'packaging', 'support-bundle'];

/** It types commands of the pages as they stand there; these are run by others, and what stands there. */
const TYPED_BY = 'test/real/systemd-printed-line.test.ts';
const RUN_BY: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'npm run package': ['test/harness/packaged-release.ts', 'runPackage('],
  'npm run package -- --key release-key.pem': ['test/harness/packaged-release.ts', "['--key', keyFile()]"],
  'npm run package -- --verify .data/release --release-key release-key.pub.pem': [
    'test/real/packaged-release.test.ts',
    "['--verify', folder, '--release-key', keyFile",
  ],
  'npm run simulate -- --bundle FILE': ['test/journeys/support-bundle.test.ts', 'replayBundle('],
  'podman build -f installers/container/Containerfile -t ai-fabric .data/release': [
    'test/real/control-plane-container.test.ts',
    "'-f', CONTAINERFILE, '-t', 'ai-fabric', context",
  ],
  'docker compose -f installers/container/compose.yaml up --build': [
    'test/real/control-plane-container.test.ts',
    "compose('up', '--build'",
  ],
  'ai-fabric --version': [TYPED_BY, "'ai-fabric --version'"],
  'ai-fabric-agent --version': [TYPED_BY, "'ai-fabric-agent --version'"],
  'ai-fabric-agent status': ['test/real/systemd-upgrade.test.ts', "say('status')"],
  'sudo ai-fabric-agent support-bundle --out FILE --redact-names': [
    'test/journeys/support-bundle.test.ts',
    "'--redact-names'",
  ],
  'sudo ai-fabric-agent support-bundle --json': [
    'test/journeys/support-bundle.test.ts',
    "['support-bundle', '--out', file, '--json']",
  ],
  'sudo ai-fabric-agent support-bundle': [
    'test/journeys/support-bundle.test.ts',
    "['support-bundle', '--out'",
  ],
  'sudo ai-fabric-agent install --dry-run': ['test/real/systemd-install.test.ts', "'--dry-run',"],
  'sudo ai-fabric-agent install --release DIR --server https://motoko:8443 --token-file join.token': [
    'test/real/systemd-install.test.ts',
    "['--server', fabric.tlsUrl, '--token-file', '-']",
  ],
  'ai-fabric-agent install --release DIR --server https://motoko:8443 --token-file -': [
    'test/real/systemd-install.test.ts',
    "['--server', fabric.tlsUrl, '--token-file', '-']",
  ],
  'ai-fabric-agent uninstall --purge --yes': [TYPED_BY, 'sudo ai-fabric-agent uninstall --purge --yes'],
  'sudo sh install-control-plane.sh ai-fabric-control-plane-linux-x64.tar.gz --release-key release-key.pub.pem':
    ['test/journeys/install-control-plane.test.ts', "'--release-key', keyFile"],
  'sudo sh install-control-plane.sh --host 100.101.102.103': [
    'test/real/installed-control-plane.test.ts',
    "'--host', LATE_ADDRESS",
  ],
  'sudo sh install-control-plane.sh ai-fabric-control-plane-linux-x64.tar.gz --uninstall --purge': [
    'test/real/installed-control-plane.test.ts',
    "'--uninstall', '--purge', '--yes'",
  ],
  'sudo ai-fabric service rollback --registry': [
    'control-plane/src/cli/service/install-service.test.ts',
    'rollBack(true)',
  ],
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

const commands = PAGES.flatMap((name) =>
  commandsOf(readFileSync(join(ROOT, 'docs', `${name}.md`), 'utf8')).map((command) => [command, name]),
);

it.each(commands)('is run by a test: %s (%s)', (command) => {
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
        .replace(/^[$#] /, '')
        .replace(/ +#.*$/, '')
        .trimEnd(),
    )
    .filter((line) => /^(sudo|npm|ai-fabric|ai-fabric-agent|curl|podman|docker) /.test(line))
    // What a program answers begins with its name, too.
    .filter((line) => !/^ai-fabric(-agent)? \d/.test(line));
  return [...new Set(commands)];
}
