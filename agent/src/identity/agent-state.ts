import { join } from 'node:path';
import { certificateSha256Schema, nameSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import type { AgentConfig } from '../config/agent-config.js';
import { rejoinAdvice } from '../own-command.js';
import { type PrivateFiles, StateFileError } from './private-files.js';

const agentStateSchema = z.object({
  version: z.literal(1),
  serverUrl: z.string().max(300),
  /** The only certificate that this agent talks to. */
  certificateSha256: certificateSha256Schema,
  hostId: z.string().min(1).max(64),
  hostName: nameSchema,
});

/** What `join` learnt: which control plane this host belongs to, and as whom. */
export type AgentState = Omit<z.infer<typeof agentStateSchema>, 'version'>;

const FILE = 'agent.json';

export function agentStatePath(directory: string): string {
  return join(directory, FILE);
}

/** What was joined cannot be read any more; joining anew writes it anew. */
export class DamagedStateError extends StateFileError {
  /** Of the message, what was found. */
  readonly detail: string;
  /** And what mends it. */
  readonly fix: string;

  constructor(path: string, fault: string, { isService, platform }: StateOwner) {
    const detail = `${path}, which says what this host has joined, is damaged (${fault}).`;
    const fix = `Put back a backup, or join anew; the host keeps its key. ${rejoinAdvice(isService, platform)}`;
    super(`${detail} Fix: ${fix}`);
    this.detail = detail;
    this.fix = fix;
  }
}

/** Whose state it is, as far as it says how the host joins anew. */
type StateOwner = Pick<AgentConfig, 'isService' | 'platform'>;

/** `null` when this host has not joined. @throws DamagedStateError, StateFileError, naming the file and the fix */
export async function readAgentState(
  config: StateOwner & Pick<AgentConfig, 'stateDirectory'>,
  files: PrivateFiles,
): Promise<AgentState | null> {
  const path = agentStatePath(config.stateDirectory);
  const text = await files.read(path);
  if (text === null) return null;
  const parsed = agentStateSchema.safeParse(parseJson(text));
  if (parsed.success) {
    const { version: _version, ...state } = parsed.data;
    return state;
  }
  const issue = parsed.error.issues[0];
  const fault = `${issue?.path.join('.') || 'whole file'}: ${issue?.message ?? 'invalid'}`;
  throw new DamagedStateError(path, fault, config);
}

export async function writeAgentState(
  directory: string,
  state: AgentState,
  files: PrivateFiles,
): Promise<void> {
  const text = JSON.stringify({ version: 1, ...state }, null, 2);
  await files.write(agentStatePath(directory), `${text}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
