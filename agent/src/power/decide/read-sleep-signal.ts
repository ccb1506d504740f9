export type SleepSignal = 'about_to_sleep' | 'awake';

/** As `gdbus monitor` prints it: `/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (true,)`. */
const GDBUS = /^\S+: org\.freedesktop\.login1\.Manager\.PrepareForSleep \((true|false),\)\s*$/;

/**
 * What logind tells of a suspend that is to come or is over, in a line of `gdbus monitor` or of
 * `busctl --json=short monitor`. `null`: it is about something else.
 */
export function readSleepSignal(line: string): SleepSignal | null {
  const told = GDBUS.exec(line)?.[1] ?? readJson(line);
  if (told === undefined) return null;
  return told === 'true' ? 'about_to_sleep' : 'awake';
}

/** The fields of a message come in an order that we do not rely on. */
function readJson(line: string): string | undefined {
  if (!line.startsWith('{') || !/"member"\s*:\s*"PrepareForSleep"/.test(line)) return undefined;
  return /"data"\s*:\s*\[\s*(true|false)\s*\]/.exec(line)?.[1];
}
