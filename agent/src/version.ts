import { BUILD } from '@ai-fabric/shared';

/** The agent's own version: the one of its package.json, repeated here because a single executable has no such file. */
export const AGENT_VERSION = BUILD.version ?? '0.1.0';
