import { countOf, systemClock } from '@ai-fabric/shared';
import { Command } from 'commander';
import { statusSchema } from '../../api/schemas.js';
import { doctorRunSchema } from '../../checks/check-records.js';
import { orderFindings, worstOf } from '../../checks/decide/order-findings.js';
import { CONTROL_PLANE, type Finding, finding } from '../../checks/finding.js';
import { readClientDefaults } from '../../config/client-defaults.js';
import { forbidsColour } from '../../config/terminal.js';
import type { ApiClient } from '../api-client.js';
import { CertificateMismatch } from '../api-exchange.js';
import { painter } from '../colour.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { age, printJson } from '../output.js';
import { findingLines, summary } from '../print-findings.js';
import { type BundleContent, fetchBundle, writeBundle } from '../write-bundle.js';

/** Each of its questions has its own, shorter deadline. */
const TIMEOUT_MS = 60_000;

export function doctorCommand(): Command {
  return withConnection(
    new Command('doctor')
      .description('look at everything that can be wrong, each with its fix; spends nothing, wakes nobody')
      .argument('[target]', 'a host, with its deployments, or a deployment, with its host'),
  )
    .option('--bundle <file>', 'write a masked archive (.tar.gz) for whoever is asked for help')
    .addHelpText(
      'after',
      `
Ends with 0 when all is fine (an away host that may be away is), 20 when the worst finding is a warning, 21 when it is
an error. Works also while the control plane is down, from what lies in its data directory.

Examples:
  ai-fabric doctor
  ai-fabric doctor armitage
  ai-fabric doctor --json | jq '.findings[] | select(.severity == "error")'
  ai-fabric doctor --bundle fabric.tar.gz`,
    )
    .action(run);
}

interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly lastKnown: { readonly atMs: number; readonly problems: readonly Finding[] } | null;
  readonly parts: BundleContent['parts'];
}

async function run(target: string | undefined, flags: ConnectionFlags & { bundle?: string }): Promise<void> {
  const { findings, lastKnown, parts } = await diagnose(target, flags);
  const worst = worstOf(findings);
  const doctor = { worst, findings, lastKnown };
  if (flags.bundle !== undefined) await writeBundle(flags.bundle, { doctor, parts }, Date.now());
  if (flags.json) printJson(doctor);
  else print(doctor, flags.bundle);
  if (worst === 'error') process.exitCode = exitCodes.errors;
  if (worst === 'warning') process.exitCode = exitCodes.warnings;
}

async function diagnose(
  target: string | undefined,
  flags: ConnectionFlags & { bundle?: string },
): Promise<Diagnosis> {
  let client: ApiClient;
  try {
    client = connect(flags);
    const startedAt = performance.now();
    await client.get('/status', statusSchema);
    const latencyMs = performance.now() - startedAt;
    const body = target === undefined ? {} : { target };
    const { findings } = await client.post('/checks/doctor', body, doctorRunSchema, TIMEOUT_MS);
    const what = 'is reached from here; it has the expected certificate and takes the admin token';
    const reached = finding('ok', 'reachable', CONTROL_PLANE, what, { latencyMs });
    const parts = flags.bundle === undefined ? null : await fetchBundle(client);
    return { findings: orderFindings([reached, ...findings]), lastKnown: null, parts };
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === exitCodes.notFound) throw error;
    return withoutControlPlane(error, flags);
  }
}

/** It could not be asked: why, and what its data directory tells where that is on this machine. */
async function withoutControlPlane(error: CliError, flags: ConnectionFlags): Promise<Diagnosis> {
  const code = codeOf(error);
  const more = error.fix === null ? {} : { fix: error.fix };
  const findings = [finding('error', code, CONTROL_PLANE, error.message, more)];
  const defaults = readClientDefaults();
  if ((flags.url ?? defaults.url) !== null) return { findings, lastKnown: null, parts: null };
  const directory = flags.data ?? defaults.dataDirectory;
  // Only here: a control plane that answers has looked by itself.
  const { inspectDataDirectory, lastKnown } = await import('../../checks/inspect-data-directory.js');
  if (code === 'control_plane_unreachable') {
    // Why it cannot be reached is the finding; that it cannot is no second one.
    const [why, ...others] = await inspectDataDirectory(directory, systemClock());
    if (why !== undefined) findings.splice(0, 1, { ...why, what: `${why.what} (${error.message})` });
    findings.push(...others);
  }
  return { findings: orderFindings(findings), lastKnown: lastKnown(directory), parts: null };
}

function codeOf(error: CliError): string {
  if (error instanceof CertificateMismatch) return 'certificate_mismatch';
  return error.exitCode === exitCodes.unreachable ? 'control_plane_unreachable' : 'control_plane_refuses';
}

function print({ findings, lastKnown }: Omit<Diagnosis, 'parts'>, bundle: string | undefined): void {
  const paint = painter(process.stdout.isTTY === true, forbidsColour());
  for (const line of findingLines(findings, paint)) console.log(line);
  if (lastKnown !== null) {
    const { length } = lastKnown.problems;
    const told = length === 0 ? 'all was fine' : countOf(length, 'problem');
    console.log(`\nWhen doctor last looked, ${age(lastKnown.atMs, Date.now())} ago: ${told}`);
    for (const line of findingLines(lastKnown.problems, paint)) console.log(`  ${line}`);
  }
  console.log(`\n${summary(findings)}`);
  if (bundle !== undefined) console.log(`wrote ${bundle}: look into it before you hand it on`);
}
