import type { Issue } from '@ai-fabric/shared';
import { describeIssue } from '../../sensors/decide/describe-issue.js';

/** What the agent did in vain, and what a person can do that it cannot. */
export function describeLostCard(
  what: string,
  tried: readonly string[],
  host: { readonly platform: string; readonly canReload: boolean; readonly mayReboot: boolean },
): Issue {
  const detail = `The card does not work since the machine slept (${what}). Tried: ${tried.join('; ')}.`;
  const byHand =
    host.platform === 'win32'
      ? ['restart Docker Desktop', 'then wsl --shutdown', 'then restart the machine']
      : [
          ...(host.canReload ? [] : ['as root: modprobe -r nvidia_uvm && modprobe nvidia_uvm']),
          'restart the machine',
        ];
  const next = host.mayReboot ? '' : ' An agent that may reboot (agent.yaml: power) does that by itself.';
  const fix = `${capital(byHand.join('; '))}.${next} If it comes back, let this host power off instead of suspending.`;
  return describeIssue('gpu_lost_after_resume', 'error', 'host', detail, fix);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
