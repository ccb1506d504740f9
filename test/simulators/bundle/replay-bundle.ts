import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type DockerEngineSimulator, startDockerEngine } from '../docker-engine/start-docker-engine.js';
import { type InstalledNvidiaSmi, installNvidiaSmi } from '../nvidia-smi/install-nvidia-smi.js';
import type { RecordedRun } from '../nvidia-smi/recorded.js';
import type { RecordedAnswer } from '../vllm/options.js';
import { startVllmSimulator, type VllmSimulator } from '../vllm/start-vllm-simulator.js';
import type { SupportBundle } from './read-bundle.js';

/** The surroundings of an agent, as a bundle has them. */
export interface ReplayedHost {
  /** `null`: its nvidia-smi was not there, or hung. */
  readonly nvidiaSmi: InstalledNvidiaSmi | null;
  /** `null`: no container engine was reached. */
  readonly containerEngine: DockerEngineSimulator | null;
  /** By deployment. */
  readonly engines: ReadonlyMap<string, VllmSimulator>;
  /** What an agent is started with so that these are its surroundings. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const NVIDIA_SMI = 'nvidia-smi/';
const ENGINES = 'engines/';

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Components: z.array(z.object({ Name: z.string() })).catch([]),
});
const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/**
 * Starts simulators that say what the host of a bundle said: its nvidia-smi, its container engine and the engines of its
 * replicas. Programs in containers, and the host itself, are not replayed.
 *
 * @param directory for their files and sockets; made where it is missing
 */
export async function replayBundle(bundle: SupportBundle, directory: string): Promise<ReplayedHost> {
  await mkdir(directory, { recursive: true });
  const runs = recordedRuns(bundle);
  const nvidiaSmi =
    runs.length === 0
      ? null
      : await installNvidiaSmi({ directory: join(directory, 'driver'), scenario: { recorded: runs } });
  const containerEngine = await startContainerEngine(bundle, join(directory, 'engine.sock'));
  const engines = new Map<string, VllmSimulator>();
  for (const deployment of recordedEngines(bundle))
    engines.set(deployment, await startEngine(bundle, deployment));
  return {
    ...{ nvidiaSmi, containerEngine, engines },
    environment: {
      AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi?.path ?? join(directory, 'none', 'nvidia-smi'),
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${containerEngine?.path ?? join(directory, 'none.sock')}`,
    },
    close: async () => {
      await Promise.all([...engines.values()].map((engine) => engine.close()));
      await containerEngine?.close();
    },
  };
}

function recordedRuns({ manifest, texts }: SupportBundle): readonly RecordedRun[] {
  return manifest.files.flatMap(({ name, args, answer }) => {
    const text = texts.get(name);
    if (!name.startsWith(NVIDIA_SMI) || args === null || text === undefined) return [];
    return [{ args, text, exitCode: answer ?? 1 }];
  });
}

async function startContainerEngine(
  { texts }: SupportBundle,
  path: string,
): Promise<DockerEngineSimulator | null> {
  const version = texts.get('containers/version.json');
  if (version === undefined) return null;
  const said = versionSchema.parse(JSON.parse(version));
  const isPodman = said.Components.some(({ Name }) => /podman/i.test(Name));
  return startDockerEngine({
    ...{ path, flavour: isPodman ? 'podman' : 'docker', version: said.Version, apiVersion: said.ApiVersion },
    recorded: { version, info: texts.get('containers/info.json') ?? '{}' },
  });
}

function recordedEngines({ texts }: SupportBundle): readonly string[] {
  const names = [...texts.keys()].filter((name) => name.startsWith(ENGINES));
  return [...new Set(names.map((name) => name.split('/')[1] ?? ''))];
}

function startEngine({ manifest, texts }: SupportBundle, deployment: string): Promise<VllmSimulator> {
  const answerOf = (file: string): RecordedAnswer => {
    const name = `${ENGINES}${deployment}/${file}`;
    const status = manifest.files.find((each) => each.name === name)?.answer ?? 404;
    return { status, text: texts.get(name) ?? '' };
  };
  const models = answerOf('models.json');
  return startVllmSimulator({
    ...{ name: deployment, model: servedModels(models, deployment) },
    recorded: { models, metrics: answerOf('metrics.txt'), version: answerOf('version.json') },
  });
}

/** Requests are answered by the names that it lists. */
function servedModels({ status, text }: RecordedAnswer, fallback: string): readonly string[] {
  if (status !== 200) return [fallback];
  const { data } = modelsSchema.parse(JSON.parse(text));
  return data.length === 0 ? [fallback] : data.map(({ id }) => id);
}
