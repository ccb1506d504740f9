import { Command } from 'commander';
import { destination, pino } from 'pino';
import { ConfigError } from '../../config/config-error.js';
import { type ControlPlaneFlags, readControlPlaneConfig } from '../../config/read-control-plane-config.js';
import { LogTail } from '../../log-tail.js';
import type { ControlPlane } from '../../start-control-plane.js';
import { StartError } from '../../start-error.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';

export function upCommand(): Command {
  return new Command('up')
    .description('run the control plane until it is told to stop')
    .option('--config <file>', 'fabric.yaml: seeds an empty registry, later only compared')
    .option('--data <dir>', 'data directory: registry, certificate, admin token')
    .option(
      '--host <address...>',
      'addresses to listen on (default: all); one that is not there yet is waited for',
    )
    .option('--port <n>', 'plain HTTP, for clients of /v1 (default: 8000)')
    .option('--tls-port <n>', 'TLS, for agents, the control API and clients (default: 8443)')
    .option('--release-dir <dir>', 'what hosts install from, served under /install/')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (default: info)')
    .option('--json', 'print the addresses as JSON once it is up')
    .addHelpText(
      'after',
      `
Each flag has a variable: AI_FABRIC_CONFIG, AI_FABRIC_DATA, AI_FABRIC_HOST, AI_FABRIC_PORT, AI_FABRIC_TLS_PORT,
AI_FABRIC_RELEASE_DIR, AI_FABRIC_LOG_LEVEL. The log goes to standard error as JSON lines.

Examples:
  ai-fabric up --config fabric.yaml
  ai-fabric up --config docs/examples/miket/fabric.yaml --data ./data --host 127.0.0.1
  ai-fabric up --host 127.0.0.1 100.101.102.103`,
    )
    .action(run);
}

async function run(flags: ControlPlaneFlags & { json?: boolean }): Promise<void> {
  // Until the first await of a listener there is nothing that would keep the process alive.
  const keepAlive = setInterval(() => {}, 60_000);
  const stopped = stopSignal();
  try {
    const controlPlane = await start(flags);
    announce(controlPlane, flags.json === true);
    await stopped;
    await controlPlane.close();
  } finally {
    clearInterval(keepAlive);
  }
}

async function start(flags: ControlPlaneFlags): Promise<ControlPlane> {
  try {
    const config = readControlPlaneConfig(flags);
    const logTail = new LogTail(destination(2));
    const log = pino({ level: config.logLevel, base: null }, logTail);
    // Only here: loading all of it takes longer than any of the other commands.
    const { startControlPlane } = await import('../../start-control-plane.js');
    return await startControlPlane(config, { log, logTail });
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(exitCodes.usage, error.message);
    if (error instanceof StartError) throw new CliError(exitCodes.failed, error.message, error.fix);
    throw error;
  }
}

function announce(controlPlane: ControlPlane, json: boolean): void {
  const { plainUrls, tlsUrls, certificateSha256, adminTokenFile, fabricFileDiffers } = controlPlane;
  if (json) {
    printJson({ plainUrls, tlsUrls, certificateSha256, adminTokenFile });
    return;
  }
  console.log(`AI Fabric is up.
  OpenAI-compatible address   ${plainUrls.map((url) => `${url}/v1`).join('  ') || '(waiting for its address)'}
  Agents and control API      ${tlsUrls.join('  ') || '(waiting for its address)'}
  Certificate SHA-256         ${certificateSha256}
  Admin token                 in ${adminTokenFile}
Next: "ai-fabric token create" makes a token for a new host; "ai-fabric hosts" lists those that are there.`);
  if (fabricFileDiffers) {
    console.log(
      'Note: the file given with --config differs from the registry, which wins. "ai-fabric drift" shows how; "ai-fabric apply" applies it.',
    );
  }
}

/** A second signal ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
