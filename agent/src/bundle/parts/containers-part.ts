import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, MASK } from '@ai-fabric/shared';
import { CDI_FOLDERS } from '../../containers/cdi-specs.js';
import type {
  ContainerEngine,
  ContainerEngineInfo,
  ContainerSummary,
} from '../../containers/container-engine.js';
import { parseJson } from '../../containers/decide/parse-json.js';
import { readEngineFacts } from '../../containers/read-engine-facts.js';
import { labelNames } from '../../replica/container/decide/judge-container.js';
import type { AgentStatus } from '../../status/agent-status.js';
import { maskVariables, secretsOfTree } from '../decide/find-secrets.js';
import type { Findings } from '../findings.js';
import type { BundlePart } from '../gather-bundle.js';
import { takeEngine } from './engine-answers.js';
import { explainFailure, fileNameOf, takeFile, toJson } from './part-tools.js';

export interface ContainersPartOptions {
  readonly engine: ContainerEngine;
  readonly askStatus: () => Promise<AgentStatus | null>;
  readonly clock: Clock;
}

const DEADLINE_MS = 75_000;
const LOG_LINES = 1_000;
const MAX_CONTAINERS = 32;
const ENGINE_KEY = 'VLLM_API_KEY';

/** An engine of a replica on this host, and the key that it asks for. */
interface LocalEngine {
  readonly deployment: string;
  readonly url: string;
  readonly key: string | null;
}

/** The container engine, the containers of this fabric with the ends of their logs, CDI specs, and what the engines of replicas say. */
export function containersPart(options: ContainersPartOptions): BundlePart {
  return {
    title: 'container engine, containers and engines',
    deadlineMs: DEADLINE_MS,
    gather: async (findings, signal) => {
      await takeCdiSpecs(findings);
      const status = await options.askStatus().catch(() => null);
      const kept = await takeContainers(findings, options, status, signal);
      for (const engine of joinEngines(kept, status))
        await takeEngine(findings, engine, options.clock, signal);
    },
  };
}

/** What the agent says of an external engine's address, and of a kept one's; where none runs, the containers tell. */
function joinEngines(kept: readonly LocalEngine[], status: AgentStatus | null): readonly LocalEngine[] {
  const known = new Set(kept.map(({ deployment }) => deployment));
  const told = (status?.engines ?? []).filter(({ deployment }) => !known.has(deployment));
  return [...kept, ...told.map(({ deployment, url }) => ({ deployment, url, key: null }))];
}

async function takeContainers(
  findings: Findings,
  { engine, clock }: ContainersPartOptions,
  status: AgentStatus | null,
  signal: AbortSignal,
): Promise<readonly LocalEngine[]> {
  const probe = await engine.probe(signal);
  if (!probe.reachable) {
    findings.lack('containers/engine', `${probe.code}: ${probe.detail}`);
    return [];
  }
  const { info } = probe;
  for (const what of ['version', 'info'] as const) await takeFacts(findings, info, what, clock, signal);
  const adopted = new Set(
    status?.replicas.flatMap(({ container }) => (container === null ? [] : [container.id])),
  );
  const all = await engine.list(signal);
  const ours = all.filter(({ id, labels }) => labelNames.deployment in labels || adopted.has(id));
  findings.file({
    name: 'containers/list.json',
    text: toJson({ engine: info, ours, others: all.length - ours.length }),
    source: `containers of ${info.endpoint}`,
  });
  const engines: LocalEngine[] = [];
  for (const container of ours.slice(0, MAX_CONTAINERS)) {
    engines.push(...(await takeContainer(findings, { engine, clock, info }, container, status, signal)));
  }
  return engines;
}

async function takeFacts(
  findings: Findings,
  info: ContainerEngineInfo,
  what: 'version' | 'info',
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const name = `containers/${what}.json`;
  try {
    const { path, status, text } = await readEngineFacts(info, what, clock, signal);
    findings.secret(...secretsOfTree(parseJson(text), name));
    findings.file({ name, text, source: `${path} of ${info.endpoint}`, answer: status });
  } catch (error) {
    findings.lack(name, error);
  }
}

async function takeContainer(
  findings: Findings,
  {
    engine,
    clock,
    info,
  }: { readonly engine: ContainerEngine; readonly clock: Clock; readonly info: ContainerEngineInfo },
  { id, name, labels }: ContainerSummary,
  status: AgentStatus | null,
  signal: AbortSignal,
): Promise<readonly LocalEngine[]> {
  const file = `containers/${fileNameOf(name)}`;
  const deployment =
    labels[labelNames.deployment] ??
    status?.replicas.find(({ container }) => container?.id === id)?.deployment ??
    name;
  await takeLog(findings, engine, { id, file }, signal);
  try {
    const { path, status: answer, text } = await readEngineFacts(info, { container: id }, clock, signal);
    const inspected = parseJson(text);
    const variables = variablesIn(inspected);
    findings.secret(...secretsOfTree(inspected, `container ${name}`));
    const shown = withVariables(inspected, maskVariables(variables, MASK));
    findings.file({
      name: `${file}.json`,
      text: toJson(shown),
      source: `${path} of ${info.endpoint}`,
      answer,
    });
    const key =
      variables.find((entry) => entry.startsWith(`${ENGINE_KEY}=`))?.slice(ENGINE_KEY.length + 1) ?? null;
    const details = await engine.inspect(id, signal);
    const [port] = details?.ports ?? [];
    if (details?.state !== 'running' || port === undefined) return [];
    const host = port.hostAddress === '0.0.0.0' || port.hostAddress === '::' ? '127.0.0.1' : port.hostAddress;
    return [{ deployment, url: `http://${host.includes(':') ? `[${host}]` : host}:${port.hostPort}`, key }];
  } catch (error) {
    findings.lack(`${file}.json`, error);
    return [];
  }
}

async function takeLog(
  findings: Findings,
  engine: ContainerEngine,
  { id, file }: { readonly id: string; readonly file: string },
  signal: AbortSignal,
): Promise<void> {
  const lines: string[] = [];
  const name = `${file}.log`;
  try {
    for await (const { atMs, text } of engine.logs(id, { follow: false, tailLines: LOG_LINES }, signal)) {
      lines.push(atMs === null ? text : `${new Date(atMs).toISOString()} ${text}`);
    }
  } catch (error) {
    findings.lack(name, error);
  }
  if (lines.length > 0) {
    const source = `the last ${LOG_LINES} lines of ${id}`;
    findings.file({ name, text: lines.map((line) => `${line}\n`).join(''), source, keeps: 'last' });
  }
}

async function takeCdiSpecs(findings: Findings): Promise<void> {
  for (const folder of CDI_FOLDERS) {
    const names = await readdir(folder).catch((error: unknown) => {
      findings.lack(`containers/cdi${folder}`, `${folder}: ${explainFailure(error)}`);
      return [];
    });
    for (const name of names.filter((each) => /\.(ya?ml|json)$/.test(each))) {
      await takeFile(
        findings,
        `containers/cdi/${fileNameOf(`${folder.slice(1)}/${name}`)}`,
        join(folder, name),
      );
    }
  }
}

function variablesIn(inspected: unknown): readonly string[] {
  const environment = memberOf(memberOf(inspected, 'Config'), 'Env');
  return Array.isArray(environment) ? environment.filter((entry) => typeof entry === 'string') : [];
}

function withVariables(inspected: unknown, environment: readonly string[]): unknown {
  const config = memberOf(inspected, 'Config');
  if (typeof inspected !== 'object' || typeof config !== 'object' || config === null) return inspected;
  return { ...inspected, Config: { ...config, Env: environment } };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
