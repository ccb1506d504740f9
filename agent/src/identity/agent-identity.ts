import { randomUUID } from 'node:crypto';
import type { AgentConfig } from '../config/agent-config.js';
import { type HostKey, loadHostKey } from './host-key.js';
import { machineSha256 } from './machine-id.js';
import { type PrivateFiles, privateFiles } from './private-files.js';

/** Who this agent is, and how it proves it. */
export interface AgentIdentity {
  readonly key: HostKey;
  readonly machineSha256: string;
  /** New in every agent process: tells a reconnect from a second agent. */
  readonly instanceId: string;
  readonly files: PrivateFiles;
}

/** Makes the state directory and the key where they are missing. @throws StateFileError */
export async function openIdentity(config: AgentConfig): Promise<AgentIdentity> {
  const { stateDirectory, platform, folders, credentialsDirectory } = config;
  const files = privateFiles({ platform, windowsDirectory: folders.windows });
  await files.prepare(stateDirectory);
  const key = await loadHostKey(stateDirectory, files, credentialsDirectory);
  const machine = await machineSha256({ platform, windowsDirectory: folders.windows, stateDirectory, files });
  return { key, machineSha256: machine, instanceId: randomUUID(), files };
}
