import type { GoodbyeReason } from '@ai-fabric/shared';

/** Somebody, or a program, began to shut Windows down or to restart it. */
const BEGUN = '1074';
/** Its kind is told in the language of the system: English and German are known. What is none of these powers off. */
const RESTART = /\b(?:restart|reboot|Neustart)\b/i;

/**
 * Asks for the newest event that tells whether Windows goes down: that it was begun (1074), that it was taken back (1075), or
 * that it has started since (Kernel-Boot 27, which a Fast Startup writes as well). What is older than ten minutes has nothing
 * to do with a service that is stopped now.
 */
export const SHUTDOWN_QUERY: readonly string[] = [
  ...['qe', 'System'],
  "/q:*[System[((Provider[@Name='User32'] and (EventID=1074 or EventID=1075)) or (Provider[@Name='Microsoft-Windows-Kernel-Boot'] and EventID=27)) and TimeCreated[timediff(@SystemTime) <= 600000]]]",
  ...['/c:1', '/rd:true', '/f:xml'],
];

/**
 * Why a service of Windows is stopped, by what `wevtutil` printed: the machine goes down, or just the service.
 *
 * @param bootedAtMs what was logged before it is of an earlier boot; wall clock
 */
export function parseShutdownEvent(xml: string, bootedAtMs: number): GoodbyeReason {
  const atMs = Date.parse(firstOf(xml, /SystemTime=['"]([^'"]+)['"]/));
  const isOfThisBoot = atMs >= bootedAtMs;
  if (!isOfThisBoot || firstOf(xml, /<EventID[^>]*>(\d+)</) !== BEGUN) return 'service_stop';
  return RESTART.test(firstOf(xml, /<Data Name=['"]param5['"]>([^<]*)</)) ? 'restart' : 'shutdown';
}

function firstOf(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? '';
}
