/**
 * The sleep states that `powercfg /a` says are available, as `S3`, `S4`, `S0`. It is printed in the system's language,
 * so it is read by its shape: a state that is not available is followed by its reason, which is indented by a tab.
 * Hibernation has no S in its name; whoever wants to know of it asks the registry.
 */
export function parsePowercfgStates(text: string): string[] {
  const lines = text.split(/\r?\n/);
  const states = new Set<string>();
  for (const [at, line] of lines.entries()) {
    const state = /^ {2,}\S.*\((S[0-5])\b/.exec(line)?.[1];
    if (state !== undefined && !/^\s*\t/.test(lines[at + 1] ?? '')) states.add(state);
  }
  return [...states];
}
