import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import type { DeclaredProvider, DeclaredState } from '../declared/declared-state.js';
import { checkIntegrity } from '../registry/check-integrity.js';
import type { CheckParts } from './check-parts.js';
import { judgeBackup } from './decide/judge-backup.js';
import { judgeClock } from './decide/judge-clock.js';
import { judgeCertificate, judgeDisk, judgeGateway, judgeIntegrity } from './decide/judge-control-plane.js';
import { judgeDeclared } from './decide/judge-declared.js';
import { type DeploymentFacts, isAskable, judgeDeployment } from './decide/judge-deployment.js';
import { judgeHost } from './decide/judge-host.js';
import { judgeProvider, type ProviderFacts } from './decide/judge-provider.js';
import { judgeRoles } from './decide/judge-roles.js';
import { isInScope, orderFindings } from './decide/order-findings.js';
import type { Finding } from './finding.js';
import { askModels, describeCertificate, readCertificate, readDisk } from './gather-facts.js';
import { inTurn } from './in-turn.js';
import { readAdminToken } from './read-admin-token.js';

const INTEGRITY_DEADLINE_MS = 8_000;
const ENGINES_AT_ONCE = 16;

/**
 * Everything that can be wrong, looked at. Spends nothing and wakes nobody.
 *
 * @param scope `host name` and `deployment name` of what is of interest; `null`: all
 * @returns the gravest first
 */
export async function runDoctor(
  parts: CheckParts,
  scope: ReadonlySet<string> | null,
): Promise<readonly Finding[]> {
  const declared = parts.declared.current();
  const [own, providers, deployments] = await Promise.all([
    scope === null ? ownFindings(parts) : [],
    scope === null ? askProviders(parts, declared) : [],
    askEngines(parts, declared, scope),
  ]);
  const targets = [
    ...providers.flatMap(judgeProvider),
    ...hostFindings(parts, declared),
    ...deployments.flatMap(judgeDeployment),
  ];
  const findings = [
    ...own,
    ...(scope === null ? [clockFinding(parts, providers), ...declaredFindings(parts, declared)] : []),
    ...(scope === null ? judgeRoles(declared, targets) : []),
    ...targets,
  ];
  const wanted = scope === null ? findings : findings.filter((each) => isInScope(each, scope));
  return orderFindings(wanted);
}

async function ownFindings(parts: CheckParts): Promise<Finding[]> {
  const { clock, dataDirectory, certificate, hostName } = parts;
  const layout = dataDirectoryLayout(dataDirectory);
  const url = parts.gatewayUrl();
  const [gateway, disk, integrity, backups] = await Promise.all([
    url === null ? null : askModels(`${url}/v1`, readAdminToken(layout.adminTokenFile), clock),
    readDisk(dataDirectory, layout),
    checkIntegrity(layout.registryFile, INTEGRITY_DEADLINE_MS, clock),
    parts.backups(),
  ]);
  const served = {
    ...describeCertificate(certificate.certificatePem),
    hostName,
    directory: layout.certificateDirectory,
    onDiskSha256: readCertificate(layout.certificateDirectory)?.certificateSha256 ?? null,
  };
  return [
    judgeGateway(url, gateway),
    ...judgeCertificate(served, clock.nowMs()),
    judgeDisk(disk),
    judgeIntegrity(integrity, layout.registryFile),
    ...judgeBackup(backups),
  ];
}

function declaredFindings(parts: CheckParts, { revision }: DeclaredState): Finding[] {
  return judgeDeclared({ revision, ...parts.counts() });
}

function clockFinding({ live }: CheckParts, providers: readonly ProviderFacts[]): Finding {
  const agents = [...live.hosts()].flatMap(({ presence, clockSkewMs }) =>
    presence === 'online' && clockSkewMs !== null ? [clockSkewMs] : [],
  );
  const skews = providers.flatMap(({ ask }) =>
    ask?.kind === 'answered' && ask.clockSkewMs !== null ? [ask.clockSkewMs] : [],
  );
  return judgeClock({ providers: skews, agents });
}

function askProviders(parts: CheckParts, declared: DeclaredState): Promise<ProviderFacts[]> {
  return Promise.all(
    [...declared.providers.values()].map(async (provider) => {
      const { keyProblem, ask } = await askProvider(parts, provider);
      const keyFailing = provider.apiKey === null ? null : parts.secrets.failing(provider.apiKey);
      return { provider, keyProblem, keyFailing, ask, aloneIn: rolesOnlyOf(declared, provider.name) };
    }),
  );
}

async function askProvider(
  { secrets, clock }: CheckParts,
  { apiKey, baseUrl }: DeclaredProvider,
): Promise<Pick<ProviderFacts, 'keyProblem' | 'ask'>> {
  if (apiKey === null) return { keyProblem: null, ask: await askModels(baseUrl, null, clock) };
  const key = secrets.read(apiKey);
  if (!key.ok) return { keyProblem: key, ask: null };
  return { keyProblem: null, ask: await askModels(baseUrl, key.value, clock) };
}

function rolesOnlyOf(declared: DeclaredState, provider: string): string[] {
  return [...declared.roles.values()].flatMap(({ name, targets }) =>
    targets.every((target) => target.kind === 'provider' && target.provider === provider) ? [name] : [],
  );
}

function hostFindings({ live, clock, roundTripMs }: CheckParts, declared: DeclaredState): Finding[] {
  const nowMs = clock.nowMs();
  return [...live.hosts()].flatMap((host) => {
    const onIt = [...declared.deployments.values()].filter((each) => each.host === host.name);
    const facts = {
      host,
      mayBeAway: declared.hosts.get(host.name)?.mayBeAway ?? null,
      roundTripMs: roundTripMs(host.name),
      deployments: new Set(onIt.map(({ name }) => name)),
    };
    return judgeHost(facts, nowMs);
  });
}

async function askEngines(
  { live, clock, routerGauges }: CheckParts,
  declared: DeclaredState,
  scope: ReadonlySet<string> | null,
): Promise<DeploymentFacts[]> {
  const breakers = new Map(routerGauges().targets.map(({ target, breaker }) => [target, breaker]));
  const wanted = [...declared.deployments.values()].filter(
    ({ name }) => scope === null || scope.has(`deployment ${name}`),
  );
  return inTurn(wanted, ENGINES_AT_ONCE, async (deployment) => {
    const host = live.host(deployment.host) ?? null;
    return {
      deployment,
      host,
      replica: live.replica(deployment.name) ?? null,
      ask:
        isAskable(host) && deployment.engine === 'external'
          ? await askModels(`${deployment.url}/v1`, null, clock)
          : null,
      breaker: breakers.get(deployment.name) ?? 'closed',
    };
  });
}
