import { readFile } from 'node:fs/promises';
import { type AgentPolicy, DEFAULT_AGENT_POLICY } from '@ai-fabric/shared';
import { ConfigError } from '../../config/agent-config.js';

const MAX_BYTES = 256 * 1024;

/**
 * The policy of the host's owner. Where there is no file the defaults hold; one that cannot be read or is wrong is an
 * error, for the owner meant something by it.
 *
 * @throws ConfigError with every mistake, its line and its path
 */
export async function readAgentPolicy(path: string): Promise<AgentPolicy> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    if (code === 'ENOENT') return DEFAULT_AGENT_POLICY;
    throw new ConfigError(`The policy ${path} cannot be read: ${code}.`);
  }
  if (content.length > MAX_BYTES) {
    throw new ConfigError(`The policy ${path} is larger than ${MAX_BYTES} bytes.`);
  }
  // Only now: a host without such a file is spared the reader's memory.
  const { parseAgentPolicy } = await import('./parse-agent-policy.js');
  const result = parseAgentPolicy(content.toString('utf8'), path);
  if (result.ok) return result.policy;
  throw new ConfigError(`The policy of this host is wrong:\n${result.errors.join('\n')}`);
}
