/** How the agent is started that "join" or "status" was told of. @param state what `--state` was, if it was */
export function runLine(state: string | undefined): string {
  if (state === undefined) return 'ai-fabric-agent run';
  return `ai-fabric-agent run --state ${/^[\w./:@%+,=-]+$/.test(state) ? state : JSON.stringify(state)}`;
}
