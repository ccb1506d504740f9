import { join } from 'node:path';
import { parse } from 'yaml';
import type { AgentConfig } from '../../config/agent-config.js';
import { parseJson } from '../../containers/decide/parse-json.js';
import { agentStatePath } from '../../identity/agent-state.js';
import { KEY_FILE, POLICY_FILE, RECORD_FILE } from '../../install/linux/decide/linux-paths.js';
import { windowsPaths } from '../../install/windows/decide/windows-paths.js';
import { HEALTH_FILE } from '../../upgrade/health.js';
import { UPGRADE_RECORD } from '../../upgrade/linux/upgrade-paths.js';
import { windowsUpgradePaths } from '../../upgrade/windows/upgrade-paths.js';
import { secretsOfEnvironment, secretsOfTree } from '../decide/find-secrets.js';
import type { Findings } from '../findings.js';
import type { BundlePart } from '../gather-bundle.js';
import { readWhole } from '../read-bounded.js';
import { takeFile, toJson } from './part-tools.js';

export interface RecordsPartOptions {
  readonly config: AgentConfig;
  /** The environment of this program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const DEADLINE_MS = 15_000;
const MAX_SECRET_BYTES = 1024 * 1024;
const OWN_SETTING = /^AI_FABRIC_/;

/** What the agent has written down: settings, what was joined, installed and upgraded. */
export function recordsPart(options: RecordsPartOptions): BundlePart {
  const { config, environment } = options;
  const { platform, stateDirectory, policyPath, folders } = config;
  const windows = platform === 'win32' ? windowsPaths(folders) : null;
  return {
    title: 'settings and records',
    deadlineMs: DEADLINE_MS,
    gather: async (findings) => {
      await learnSecrets(findings, options);
      const policies = new Set([policyPath, windows?.policyFile ?? POLICY_FILE]);
      for (const [at, path] of [...policies].entries()) {
        const text = await takeFile(
          findings,
          at === 0 ? 'config/agent.yaml' : 'config/installed-agent.yaml',
          path,
        );
        if (text !== null) findings.secret(...secretsOfYaml(text, path));
      }
      const own = Object.entries(environment).filter(([name]) => OWN_SETTING.test(name));
      findings.file({
        name: 'config/environment.json',
        text: toJson(Object.fromEntries(own)),
        source: 'the environment of this program',
      });
      await takeFile(findings, 'records/agent.json', agentStatePath(stateDirectory));
      await takeFile(findings, 'records/health.json', join(stateDirectory, HEALTH_FILE));
      await takeFile(findings, 'records/installed.json', windows?.recordFile ?? RECORD_FILE);
      const upgrade = windows && windowsUpgradePaths(windows);
      await takeFile(findings, 'records/upgrade.json', upgrade?.record ?? UPGRADE_RECORD);
    },
  };
}

/** What is read for nothing but to be masked: this host's key, the keys of its engines, and what programs were given. */
async function learnSecrets(findings: Findings, { config, environment }: RecordsPartOptions): Promise<void> {
  const { stateDirectory, platform, folders } = config;
  findings.secret(...secretsOfEnvironment(environment, 'the environment of this program'));
  const keyFiles = new Set([
    join(stateDirectory, 'host-key.pem'),
    platform === 'win32' ? windowsPaths(folders).keyFile : KEY_FILE,
  ]);
  for (const path of keyFiles) {
    const value = await readWhole(path, MAX_SECRET_BYTES).catch(() => null);
    if (value !== null) findings.secret({ origin: path, value });
  }
  const replicas = await readWhole(join(stateDirectory, 'replicas.json'), MAX_SECRET_BYTES).catch(() => null);
  if (replicas !== null) findings.secret(...secretsOfTree(parseJson(replicas), 'replicas.json'));
}

/** A file that is no YAML is masked as any other text. */
function secretsOfYaml(text: string, path: string): ReturnType<typeof secretsOfTree> {
  try {
    return secretsOfTree(parse(text, { maxAliasCount: 20 }), path);
  } catch {
    return [];
  }
}
