import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runPackage } from '../package/package-command.mjs';
import { handOver } from './hand-over.mjs';
import { runChecks } from './run-checks.mjs';
import { runTests } from './run-tests.mjs';
import { setUp } from './setup.mjs';
import { SetupFailure } from './setup-failure.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const controlPlane = join(root, 'control-plane', 'bin', 'ai-fabric.js');
const bench = join(root, 'test', 'dist', 'bench', 'main.js');
const simulate = join(root, 'test', 'dist', 'simulators', 'bundle', 'main.js');

/** @type {Record<string, (args: readonly string[]) => Promise<void>>} */
const commands = {
  demo: (args) => setUpAndHandOver(controlPlane, ['demo', ...args]),
  start: (args) => setUpAndHandOver(controlPlane, ['up', ...args]),
  bench: (args) => setUpAndHandOver(bench, args),
  simulate: (args) => setUpAndHandOver(simulate, args),
  test: (args) => runTests(root, args),
  check: () => runChecks(root),
  package: (args) => runPackage(root, args, (checkout) => setUp(checkout, { compile: true })),
  build: async () => {
    await setUp(root, { compile: true, types: true });
    process.stderr.write(
      'Built. Next: npm run demo (see it work), npm start (the control plane), npx ai-fabric --help, npx ai-fabric-agent --help.\n',
    );
  },
};

/**
 * Runs one of the checkout's commands and sets this process's exit code.
 *
 * @param {readonly string[]} argv the command, then what is its own
 */
export async function runCommand(argv) {
  const [name = '', ...args] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(
      `Unknown command '${name}'. There are: ${Object.keys(commands).join(', ')} (npm run …; npm start; npm test).\n`,
    );
    process.exitCode = 2;
    return;
  }
  try {
    await command(args);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
async function setUpAndHandOver(program, args) {
  await setUp(root, { compile: true });
  await handOver(program, args);
}
