import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readBundle } from './read-bundle.js';
import { type ReplayedHost, replayBundle } from './replay-bundle.js';

const USAGE = `Usage: npm run simulate -- --bundle FILE

Starts simulators that say what the host of a support bundle said (its nvidia-smi, its container engine, the engines of its replicas),
and prints how an agent is started between them. They run until Ctrl-C.
`;

function readArguments(): string | null {
  try {
    const { values } = parseArgs({ options: { bundle: { type: 'string' }, help: { type: 'boolean' } } });
    return values.help ? null : (values.bundle ?? null);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function describe({ engines, environment }: ReplayedHost): string {
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`);
  const deployments = [...engines.values()].map(
    ({ name, url }) => `#   ${name}: { host: NAME, engine: external, url: "${url}", … }`,
  );
  return [
    ...variables,
    '# npx ai-fabric-agent join …, npx ai-fabric-agent run',
    ...(deployments.length === 0 ? [] : ['# in fabric.yaml, below deployments:', ...deployments]),
  ].join('\n');
}

const path = readArguments();
if (path === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const directory = await mkdtemp(join(tmpdir(), 'ai-fabric-replay-'));
  try {
    const bundle = await readBundle(resolve(path));
    const host = await replayBundle(bundle, directory);
    console.log(`# ${bundle.manifest.program}, made ${bundle.manifest.madeAt}`);
    console.log(describe(host));
    await new Promise((end) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
      // Signals alone keep no process.
      setInterval(() => undefined, 60_000);
    });
    await host.close();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  process.exit();
}
