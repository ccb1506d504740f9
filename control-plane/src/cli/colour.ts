import type { FindingSeverity } from '../checks/finding.js';

export type Paint = (severity: FindingSeverity | 'plain', text: string) => string;

const CODES: Readonly<Record<FindingSeverity, string>> = { ok: '32', info: '36', warning: '33', error: '31' };

/** Colours on a terminal that did not forbid them (NO_COLOR); elsewhere the text as it is. */
export function painter(isTerminal: boolean, noColour: boolean): Paint {
  if (!isTerminal || noColour) return (_, text) => text;
  return (severity, text) => (severity === 'plain' ? text : `\u001b[${CODES[severity]}m${text}\u001b[0m`);
}
