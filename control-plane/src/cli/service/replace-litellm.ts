import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { CliError, exitCodes } from '../exit-codes.js';
import { changeVariables, isStarter, must, sha256, startService } from './carry-out.js';
import { freePort, readPorts, type ServicePorts } from './decide/judge-ports.js';
import { judgeTakeover, type TakeoverView } from './decide/judge-takeover.js';
import { NOT_ROOT } from './decide/plan-install.js';
import type { PortHolder } from './decide/service-facts.js';
import { readVariables } from './decide/variables.js';
import { readEnvironment } from './find-holders.js';
import {
  DEFAULT_WAIT_MS,
  type Installed,
  type InstallOptions,
  installService,
  prove,
} from './install-service.js';
import type { ReplacedLitellm } from './installed-record.js';
import type { Machine } from './machine.js';
import { readEndpoint } from './prove-service.js';
import { type LitellmView, readLitellm } from './read-litellm.js';
import { RecordBook, writeWhole } from './record-book.js';
import { refused } from './refused.js';
import { PLACES, SERVICE } from './service-places.js';
import { startLitellm } from './start-litellm.js';

export interface ReplaceOptions extends InstallOptions {
  readonly file: string | null;
  readonly unit: string | null;
}

/** Everything before the question: the control plane runs beside the proxy and knows its names. */
export interface Beside {
  readonly installed: Installed;
  readonly litellm: LitellmView;
  readonly takeover: TakeoverView | null;
  /** Variables of keys that nobody has set. */
  readonly missingKeys: readonly string[];
  readonly port: number;
}

/** Beside the proxy until it is asked to take over. */
const FIRST_PORT_BESIDE = 4001;
const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string(), fabric: z.object({ state: z.string() }) })),
});

/**
 * Installs the control plane beside a LiteLLM proxy with what its configuration becomes, and compares both. The proxy
 * is left alone.
 *
 * @throws CliError with what mends it
 */
export async function installBeside(machine: Machine, options: ReplaceOptions): Promise<Beside> {
  if (!machine.isRoot) throw refused(NOT_ROOT);
  const holders = machine.holders(new Set());
  const litellm = readLitellm(holders, options);
  const text = existsSync(PLACES.variables) ? readFileSync(PLACES.variables, 'utf8') : null;
  const port = portBeside(readPorts(text, options.variables), litellm, holders);
  const variables = { ...options.variables, ...(port === null ? {} : { AI_FABRIC_PORT: String(port) }) };
  const book = new RecordBook(machine);
  const hasOwn = existsSync(PLACES.fabricFile) && !isStarter(machine, book.record);
  const wasThere = existsSync(PLACES.fabricFile);
  const installed = await installService(machine, { ...options, variables, starter: litellm.fabric });
  if (options.dryRun)
    return { installed, litellm, takeover: null, missingKeys: [], port: readPorts(text, variables).port };
  if (wasThere) await declare(machine, litellm.fabric, hasOwn);
  const missingKeys = await carryKeys(machine, litellm, options.waitMs);
  const now = readFileSync(PLACES.variables, 'utf8');
  const takeover = await compare(machine, litellm);
  return { installed, litellm, takeover, missingKeys, port: readPorts(now).port };
}

/** Another port than the proxy's, which keeps it for now; `null`: the service's own will do. */
function portBeside(
  { port, tlsPort }: ServicePorts,
  { proxy }: LitellmView,
  holders: readonly PortHolder[],
): number | null {
  return proxy?.port === port ? freePort(FIRST_PORT_BESIDE, holders, [tlsPort]) : null;
}

/** Over the file that nobody has edited; beside one that is somebody's. */
async function declare(machine: Machine, fabric: string, hasOwn: boolean): Promise<void> {
  if (hasOwn) {
    writeWhole(PLACES.importedFile, fabric, 0o644);
    machine.say(`  ${PLACES.fabricFile} is yours and stays; what the import made is ${PLACES.importedFile}`);
    return;
  }
  writeWhole(PLACES.fabricFile, fabric, 0o644);
  new RecordBook(machine).change({ starterSha256: sha256(fabric) });
  const program = `${PLACES.current}/bin/ai-fabric`;
  const applied = await machine.run(program, ['apply', PLACES.fabricFile, '--yes', '--data', PLACES.data]);
  // 10: something was changed.
  if (applied.code !== exitCodes.changed) must(applied);
}

/** Keys that the proxy was started with and that nobody has set here. @returns names of those that are set nowhere */
async function carryKeys(
  machine: Machine,
  { proxy, keyVariables }: LitellmView,
  waitMs: number,
): Promise<string[]> {
  const set = readVariables(readFileSync(PLACES.variables, 'utf8'));
  const unset = keyVariables.filter((name) => !set[name]);
  const found = proxy === null ? {} : readEnvironment(proxy.processId, new Set(unset));
  const names = Object.keys(found);
  if (names.length > 0) {
    machine.say(`  carry ${names.join(', ')} over into ${PLACES.variables} (root's alone)`);
    changeVariables(machine, found);
    await restart(machine, waitMs);
  }
  return unset.filter((name) => !names.includes(name));
}

async function compare(machine: Machine, { names, cloudNames }: LitellmView): Promise<TakeoverView> {
  const endpoint = readEndpoint(machine);
  const answer =
    endpoint === null ? null : await machine.ask(endpoint.url, endpoint.certificateSha256, '/v1/models');
  if (answer?.status !== 200) {
    throw new CliError(
      exitCodes.failed,
      'the control plane does not list its models',
      `journalctl -u ${SERVICE}`,
    );
  }
  const { data } = modelsSchema.parse(JSON.parse(answer.text));
  return judgeTakeover(names, new Map(data.map(({ id, fabric }) => [id, fabric.state])), cloudNames);
}

async function restart(machine: Machine, waitMs: number): Promise<void> {
  must(await machine.run('systemctl', ['stop', SERVICE], { timeoutMs: waitMs }));
  await startService(machine);
  await prove(machine, waitMs);
}

/**
 * Stops the proxy and answers on its port; where that does not work, the proxy runs again as it did.
 *
 * @throws CliError with what mends it
 */
export async function takeOver(machine: Machine, beside: Beside, waitMs: number): Promise<ReplacedLitellm> {
  const { proxy } = beside.litellm;
  if (proxy?.unit == null) {
    const owner =
      proxy === null ? 'no LiteLLM proxy runs here' : `process ${proxy.processId} is no service of its own`;
    const fix = `end it yourself, then: set AI_FABRIC_PORT in ${PLACES.variables}, and systemctl restart ${SERVICE}`;
    throw new CliError(exitCodes.refused, `${owner}: it cannot be stopped for good`, fix);
  }
  const { unit, port } = proxy;
  const enabled = await machine.run('systemctl', ['is-enabled', unit]);
  const replaced = { unit, wasEnabled: enabled.stdout.trim() === 'enabled', port, formerPort: beside.port };
  const book = new RecordBook(machine);
  book.change({ litellm: replaced });
  machine.say(`  stop and disable ${unit}`);
  try {
    must(await machine.run('systemctl', ['stop', unit], { timeoutMs: waitMs }));
    if (replaced.wasEnabled) must(await machine.run('systemctl', ['disable', '--quiet', unit]));
    machine.say(`  answer on port ${port}`);
    changeVariables(machine, { AI_FABRIC_PORT: String(port) });
    await restart(machine, waitMs);
    return replaced;
  } catch (error) {
    machine.say(`  that failed: ${unit} runs again`);
    await giveBack(machine, replaced, waitMs);
    book.change({ litellm: null });
    throw error;
  }
}

/** The proxy gets its port back and runs as it did; the control plane goes on beside it. @throws CliError */
export async function undoReplaceLitellm(
  machine: Machine,
  waitMs = DEFAULT_WAIT_MS,
): Promise<ReplacedLitellm> {
  if (!machine.isRoot) throw refused(NOT_ROOT);
  const book = new RecordBook(machine);
  const { litellm } = book.record;
  if (litellm === null) {
    const fix = 'only what --replace-litellm did can be undone';
    throw new CliError(exitCodes.refused, 'no LiteLLM proxy was replaced here', fix);
  }
  await giveBack(machine, litellm, waitMs);
  book.change({ litellm: null });
  return litellm;
}

async function giveBack(machine: Machine, replaced: ReplacedLitellm, waitMs: number): Promise<void> {
  const { port, formerPort } = replaced;
  const beside = formerPort === null || formerPort === port ? null : formerPort;
  must(await machine.run('systemctl', ['stop', SERVICE], { timeoutMs: waitMs }));
  await startLitellm(machine, replaced);
  const holders = machine.holders(new Set());
  const next = beside ?? freePort(FIRST_PORT_BESIDE, holders, []);
  changeVariables(machine, { AI_FABRIC_PORT: String(next) });
  await startService(machine);
  await prove(machine, waitMs);
}
