import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { formatBundle, formatPart, nameBundle } from '../decide/format-bundle.js';
import { exitCodesOf } from '../exit-codes.js';
import { readHost } from '../open-system.js';
import { printJson } from '../output.js';

interface BundleOptions {
  readonly out?: string;
  readonly state?: string;
  readonly redactNames?: boolean;
  readonly json?: boolean;
}

export function supportBundleCommand(): Command {
  return new Command('support-bundle')
    .description('Gather what helps to find out what is wrong here into one archive, with secrets masked')
    .option('--out <FILE>', 'the archive; by default ai-fabric-agent-HOST-TIME.tar.gz in this folder')
    .option('--state <DIR>', 'the directory of the agent that is asked')
    .option('--redact-names', 'give hosts, people, addresses and MACs stand-ins')
    .option('--json', 'print what is in it, what is missing and what was masked as JSON')
    .addHelpText(
      'after',
      `
In it: status, checklist, settings, records, the service and the end of its log, what nvidia-smi says, the container engine, the
fabric's containers with the ends of their logs, CDI specs, what engines say of themselves, system and network. Masked: tokens,
keys, passwords, credentials in addresses, and the values of containers' variables. manifest.json says what could not be read and
why. Works without the control plane, and where no agent runs. Nothing is sent anywhere; the file is for you alone. Only root, or an
administrator of Windows, sees everything.

Examples:
  sudo ai-fabric-agent support-bundle
  sudo ai-fabric-agent support-bundle --out /tmp/armitage.tar.gz --redact-names
${exitCodesOf(['ok', 'written; what is missing stands in it'], ['failed', 'not written; the message says why'], 'usage')}`,
    )
    .action(makeBundleFile);
}

async function makeBundleFile({
  out,
  state,
  redactNames = false,
  json = false,
}: BundleOptions): Promise<void> {
  const config = readAgentConfig({ state });
  const [{ makeBundle }, { runTool }, { systemClock }, { default: pino }] = await Promise.all([
    import('../../bundle/make-bundle.js'),
    import('../../identity/run-tool.js'),
    import('@ai-fabric/shared'),
    import('pino'),
  ]);
  const clock = systemClock();
  const path = resolve(out ?? nameBundle(redactNames ? null : config.hostName, clock.nowMs()));
  if (!json) console.log('Gathering what is known of this host; nothing is sent anywhere:');
  const { bytes, manifest } = await makeBundle({
    ...{ config, path, redactNames, runTool, clock },
    readHost: () => readHost(config, true),
    pause: (ms, signal) => pause(ms, undefined, { signal }),
    onGathered: (part) => {
      if (!json) console.log(formatPart(part));
    },
    log: pino({ level: 'silent' }),
  });
  if (json) {
    const masked = manifest.files.reduce((sum, file) => sum + file.masked, 0);
    printJson({ path, bytes, masked, ...manifest });
  } else {
    console.log(formatBundle(path, bytes, manifest));
  }
}
