import type { AgentConfig } from '../config/agent-config.js';
import { DamagedStateError, readAgentState } from '../identity/agent-state.js';
import { privateFiles } from '../identity/private-files.js';
import type { JoinFacts } from './decide/find-refusals.js';

type Joined = Pick<JoinFacts, 'joined' | 'joinedFault'>;

export const NOTHING_JOINED: Joined = { joined: null, joinedFault: null };

/** What the host of an install has joined before. @throws StateFileError where that can be neither read nor written anew */
export async function readJoined(
  { platform, stateDirectory }: Pick<AgentConfig, 'platform' | 'stateDirectory'>,
  windowsDirectory: string,
): Promise<Joined> {
  const files = privateFiles({ platform, windowsDirectory });
  try {
    const joined = await readAgentState({ platform, stateDirectory, isService: true }, files);
    return { joined, joinedFault: null };
  } catch (error) {
    if (error instanceof DamagedStateError) return { joined: null, joinedFault: error.detail };
    throw error;
  }
}
