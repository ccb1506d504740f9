export interface HelperTrouble {
  readonly code: 'denied' | 'not_there' | 'failed';
  readonly detail: string;
}

const MEND = 'Mend it: ai-fabric-agent install (as root).';

/** What `systemctl start` says of the helper where it does not end well. */
export function judgeHelperError(verb: string, text: string): HelperTrouble {
  if (/^Job for /m.test(text)) {
    return {
      code: 'failed',
      detail: `Root could not ${verb}: journalctl -u ai-fabric-agent-helper@${verb} says why.`,
    };
  }
  if (/interactive authentication required|access denied|not authorized|permission denied/i.test(text)) {
    return {
      code: 'denied',
      detail: `polkit does not let the agent ask for ${verb}: is polkit installed and running? ${MEND}`,
    };
  }
  if (/not found|not loaded|ENOENT/i.test(text)) {
    return { code: 'not_there', detail: `There is nobody who does it as root. ${MEND}` };
  }
  const said =
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .at(-1) ?? 'it does not say why';
  return { code: 'failed', detail: `Root could not ${verb}: ${said.slice(0, 300)}` };
}
