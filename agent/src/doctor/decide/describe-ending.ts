import { countOf } from '@ai-fabric/shared';
import { startCommand } from '../../own-command.js';
import type { ServiceEnding } from '../host-checks.js';

/** A service that ends: what is known of it, and what shows more. */
export function describeEnding(
  { isRetried, restarts, how, lastWords }: ServiceEnding,
  platform: NodeJS.Platform,
): { readonly says: string; readonly fix: string } {
  const known = [
    ...(how === null ? [] : [how]),
    ...(restarts === null || restarts === 0 ? [] : [`started again ${countOf(restarts, 'time')}`]),
  ];
  const facts = known.length === 0 ? '' : ` (${known.join(', ')})`;
  const words = lastWords === null ? '.' : `: ${lastWords}`;
  const mend = isRetried
    ? 'Mend what it says, and it starts by itself.'
    : `Mend what it says, then ${startCommand(platform)}.`;
  return {
    says: `${sentence(isRetried, restarts)}${facts}${words}`,
    fix: `${mend} More of its log: ${logCommand(platform)}`,
  };
}

function sentence(isRetried: boolean, restarts: number | null): string {
  if (!isRetried) return 'The service has ended, and nothing starts it again';
  return restarts === 0
    ? 'The service has ended, and is about to be started again'
    : 'The service keeps ending';
}

function logCommand(platform: NodeJS.Platform): string {
  return platform === 'win32'
    ? 'Get-Content "$env:ProgramData\\AI Fabric\\agent\\logs\\agent.log" -Tail 50 (in a PowerShell of an administrator)'
    : 'sudo journalctl -u ai-fabric-agent -n 50 -o cat';
}
