import { PowerError } from '../power-port.js';

/** The folder `docs` says how an agent that is not root is let. */
const LET_IT = 'Run the agent as root, or let its user with a polkit rule (docs/agent-power.md).';

/** What `systemctl` and logind say when they do not do it. */
export function readPowerError(verb: string, text: string): PowerError {
  const said = lastLine(text);
  if (/interactive authentication required|access denied|not authorized|permission denied/i.test(text)) {
    return new PowerError('power_denied', `The system does not let the agent ${verb} it: ${said} ${LET_IT}`);
  }
  if (/inhibited by|active block inhibitor/i.test(text)) {
    return new PowerError('power_inhibited', `Somebody holds the machine awake: ${said}`);
  }
  if (/not supported|sleep verb .* not|ENOENT|not enough swap/i.test(text)) {
    return new PowerError('power_not_supported', `This machine cannot ${verb}: ${said}`);
  }
  return new PowerError('power_failed', `The system did not ${verb}: ${said}`);
}

/** `execFile` puts the command before what it printed. */
function lastLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Command failed:'));
  const line = lines.at(-1) ?? (text.trim() === '' ? 'it does not say why' : text.trim());
  return line.endsWith('.') ? line.slice(0, 300) : `${line.slice(0, 300)}.`;
}
