import { join } from 'node:path';
import { certificateSha256Schema, nameSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { ownProgram } from '../own-command.js';
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

/** `null` when this host has not joined. @throws StateFileError naming the file and the fix */
export async function readAgentState(directory: string, files: PrivateFiles): Promise<AgentState | null> {
  const path = agentStatePath(directory);
  const text = await files.read(path);
  if (text === null) return null;
  const parsed = agentStateSchema.safeParse(parseJson(text));
  if (parsed.success) {
    const { version: _version, ...state } = parsed.data;
    return state;
  }
  const issue = parsed.error.issues[0];
  throw new StateFileError(
    `${path} is damaged (${issue?.path.join('.') || 'whole file'}: ${issue?.message ?? 'invalid'}). ` +
      `Fix: put back a backup, or run with a new join token: ${ownProgram(process.platform)} join --force; this host keeps its key.`,
  );
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
