import type { GoodbyeReason } from '@ai-fabric/shared';

const ENDS: ReadonlyMap<string, GoodbyeReason> = new Map([
  ['poweroff.target', 'shutdown'],
  ['halt.target', 'shutdown'],
  ['reboot.target', 'restart'],
  ['kexec.target', 'restart'],
  ['soft-reboot.target', 'restart'],
]);

/**
 * Why a service is stopped, by the jobs that systemd has (`systemctl list-jobs`): the whole machine goes down, or just
 * the service.
 */
export function parseSystemJobs(text: string): GoodbyeReason {
  for (const line of text.split('\n')) {
    const [, unit, type] = line.trim().split(/\s+/);
    const reason = ENDS.get(unit ?? '');
    if (reason !== undefined && type === 'start') return reason;
  }
  return 'service_stop';
}
