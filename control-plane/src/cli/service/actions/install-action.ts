import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { ConfigError } from '../../../config/config-error.js';
import { readControlPlaneConfig } from '../../../config/read-control-plane-config.js';
import { advertiseUrls } from '../../../http/decide/advertise-urls.js';
import { VERSION } from '../../../version.js';
import { confirm } from '../../confirm.js';
import { CliError, exitCodes } from '../../exit-codes.js';
import { printJson, printTable } from '../../output.js';
import { readPorts } from '../decide/judge-ports.js';
import type { CarriedName } from '../decide/judge-takeover.js';
import { listenOn } from '../decide/listen-on.js';
import { type Installed, installService } from '../install-service.js';
import type { Machine } from '../machine.js';
import { type Beside, installBeside, takeOver } from '../replace-litellm.js';
import { PLACES } from '../service-places.js';
import { type CommonFlags, machineOf, refuseImage, waitOf } from './common-flags.js';

export interface InstallFlags extends CommonFlags {
  readonly archive: string;
  readonly host?: readonly string[];
  readonly port?: string;
  readonly tlsPort?: string;
  readonly replaceLitellm?: string | true;
  readonly litellmUnit?: string;
  readonly yes?: boolean;
}

export async function installAction(flags: InstallFlags): Promise<void> {
  const machine = machineOf(flags);
  const installed = await installService(machine, optionsOf(flags));
  if (flags.json) printJson(describeInstalled(machine, installed, flags));
  else printInstalled(machine, installed, flags);
}

export async function replaceAction(flags: InstallFlags): Promise<void> {
  refuseImage(flags, '--replace-litellm');
  const machine = machineOf(flags);
  const file = typeof flags.replaceLitellm === 'string' ? resolve(flags.replaceLitellm) : null;
  const unit = flags.litellmUnit?.replace(/(\.service)?$/, '.service') ?? null;
  const beside = await installBeside(machine, { ...optionsOf(flags), file, unit });
  if (!flags.json) printBeside(machine, beside, flags);
  const { proxy } = beside.litellm;
  const told = { ...describeInstalled(machine, beside.installed, flags), litellm: describeLitellm(beside) };
  if (flags.dryRun || proxy === null) {
    if (flags.json) printJson({ ...told, replaced: null });
    return;
  }
  await agree(beside, flags);
  const replaced = await takeOver(machine, beside, waitOf(flags));
  if (flags.json) printJson({ ...told, replaced });
  else {
    console.log(`AI Fabric answers on port ${replaced.port}. ${replaced.unit} is stopped and disabled, and not removed.
Back: sudo sh ${PLACES.current}/install-control-plane.sh --undo-replace-litellm`);
  }
}

/** @throws CliError where the answer is no, or nobody may decide */
async function agree({ litellm, takeover }: Beside, { yes }: InstallFlags): Promise<void> {
  const { proxy } = litellm;
  const unknown = takeover?.unknown ?? [];
  if (yes && unknown.length > 0) {
    const message = `these names of the proxy are not declared: ${unknown.join(', ')}`;
    const fix = `apply ${PLACES.importedFile}, or declare them otherwise; or decide it on a terminal, without --yes`;
    throw new CliError(exitCodes.refused, message, fix);
  }
  if (yes) return;
  const lost = unknown.length === 0 ? '' : `Clients that ask for ${unknown.join(', ')} will get a 404. `;
  await confirm(`${lost}Stop ${proxy?.unit ?? 'LiteLLM'} and answer on its port ${proxy?.port}?`);
}

function optionsOf(flags: InstallFlags) {
  return {
    archive: resolve(flags.archive),
    version: VERSION,
    variables: variablesOf(flags),
    dryRun: flags.dryRun === true,
    waitMs: waitOf(flags),
  };
}

/** Refused here, not by a service that does not start. @throws CliError */
function variablesOf({ host, port, tlsPort }: InstallFlags): Record<string, string> {
  try {
    readControlPlaneConfig({ host, port, tlsPort }, {});
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(exitCodes.usage, error.message);
    throw error;
  }
  return {
    ...(host === undefined ? {} : { AI_FABRIC_HOST: listenOn(host).join(',') }),
    ...(port === undefined ? {} : { AI_FABRIC_PORT: port }),
    ...(tlsPort === undefined ? {} : { AI_FABRIC_TLS_PORT: tlsPort }),
  };
}

function addressesOf(machine: Machine): { readonly plainUrls: string[]; readonly tlsUrls: string[] } {
  const file = machine.at(PLACES.variables);
  const { port, tlsPort, hosts } = readPorts(existsSync(file) ? readFileSync(file, 'utf8') : null);
  const places = {
    hostName: hostname(),
    addresses: machine.addresses().filter((each) => !/^(127\.|::1$|fe80:)/.test(each)),
  };
  const urls = (scheme: string, number: number): string[] =>
    advertiseUrls(
      (hosts.length === 0 ? ['0.0.0.0'] : hosts).map(
        (host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${number}`,
      ),
      places,
    );
  return { plainUrls: urls('http', port), tlsUrls: urls('https', tlsPort) };
}

function describeInstalled(machine: Machine, installed: Installed, { dryRun }: InstallFlags) {
  const { kind, folder, steps, proof, note } = installed;
  const notes = [...(proof?.notes ?? []), ...(note === null ? [] : [note])];
  return {
    ...{ kind, version: VERSION, folder, dryRun: dryRun === true, steps, running: proof !== null, notes },
    ...addressesOf(machine),
    certificateSha256: proof?.endpoint?.certificateSha256 ?? null,
  };
}

function describeLitellm({ litellm, takeover, missingKeys }: Beside) {
  const { proxy, configFile, notes } = litellm;
  return { proxy, configFile, notes, names: takeover?.names ?? null, missingKeys };
}

function printInstalled(machine: Machine, installed: Installed, flags: InstallFlags): void {
  const { kind, steps, proof, note } = installed;
  if (flags.dryRun) {
    console.log(`AI Fabric ${VERSION}: this ${kind} would`);
    for (const step of steps) console.log(`  ${step}`);
    if (note !== null) console.log(`Note: ${note}`);
    return;
  }
  const done = { install: 'installed', upgrade: 'upgraded', repair: 'in place' }[kind];
  const command = note === null ? 'ai-fabric' : `${PLACES.current}/bin/ai-fabric`;
  const { plainUrls, tlsUrls } = addressesOf(machine);
  console.log(`AI Fabric ${VERSION} is ${done}${proof === null ? '' : ' and answers'}.
  OpenAI-compatible address   ${plainUrls.map((url) => `${url}/v1`).join('  ')}
  Agents and control API      ${tlsUrls.join('  ')}
  Configuration               ${PLACES.fabricFile}; settings in ${PLACES.variables}
  Data                        ${PLACES.data}
  Log                         journalctl -u ai-fabric`);
  for (const each of proof?.notes ?? []) console.log(`Note: ${each}`);
  if (note !== null) console.log(`Note: ${note}`);
  if (kind === 'upgrade') console.log(`Back: sudo ${command} service rollback`);
  else if (proof !== null)
    console.log(`Next: sudo ${command} token create    # prints the line that a host joins with`);
  else console.log('Next: it starts when the image boots.');
}

function printBeside(machine: Machine, beside: Beside, flags: InstallFlags): void {
  const { installed, litellm, takeover, missingKeys, port } = beside;
  printInstalled(machine, installed, flags);
  const { configFile, proxy, notes } = litellm;
  console.log(`\nFrom ${configFile}:`);
  for (const { kind, line, path, message } of notes) {
    console.log(`  ${kind === 'review' ? 'to review' : 'left out '}  line ${line}: ${path}: ${message}`);
  }
  if (takeover !== null) printTable(['NAME', 'ASKED FOR NOW'], takeover.names.map(describeName));
  if (missingKeys.length > 0) {
    console.log(`Set in ${PLACES.variables}, or their providers refuse: ${missingKeys.join(', ')}`);
  }
  if (proxy === null) console.log('No LiteLLM proxy runs here: there is no port to take over.');
  else
    console.log(
      `${proxy.unit ?? `process ${proxy.processId}`} answers on port ${proxy.port}, AI Fabric on ${port}.`,
    );
}

const ASKED_NOW: Readonly<Record<CarriedName['state'], string>> = {
  ready: 'is answered',
  no_target: 'is known, but no host with it is there: join its host first (sudo ai-fabric token create)',
  no_key:
    'is known, but its provider has no key that works: set it in /etc/ai-fabric/control-plane.env, then: sudo systemctl restart ai-fabric',
  unknown: 'is not declared: a 404',
};

function describeName({ name, state }: CarriedName): string[] {
  return [name, ASKED_NOW[state]];
}
