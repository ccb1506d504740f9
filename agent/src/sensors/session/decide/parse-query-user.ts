import type { SessionFacts } from './session-facts.js';

/** Whoever did nothing for so long is not there. */
const IDLE_MINUTES = 15;
/** Name, session (a disconnected one has none), id, state, idle time, sign-in; words are in the system's language. */
const ROW = /^[> ]?\S.*?\s{2,}(?:(\S+)\s+)?(\d+)\s+(\S+)\s+(\S+)\s{2,}\S/;

/** Reads Windows' `query user`. The first line is a heading. */
export function parseQueryUser(text: string): SessionFacts {
  let present = false;
  let remoteSession = false;
  for (const line of text.split(/\r?\n/).slice(1)) {
    const row = ROW.exec(line);
    if (row === null) continue;
    const [, session, , , idle = ''] = row;
    if (session === undefined || idleMinutes(idle) >= IDLE_MINUTES) continue;
    if (session.toLowerCase() === 'console') present = true;
    else remoteSession = true;
  }
  return { present, remoteSession };
}

/** `none` or `.`, minutes, `hours:minutes`, `days+hours:minutes`; what is no number is the word for none. */
function idleMinutes(text: string): number {
  const parts = /^(?:(\d+)\+)?(?:(\d+):)?(\d+)$/.exec(text);
  if (parts === null) return 0;
  const [, days = '0', hours = '0', minutes = '0'] = parts;
  return (Number(days) * 24 + Number(hours)) * 60 + Number(minutes);
}
