import { setTimeout as pause } from 'node:timers/promises';
import { deploymentSchema } from '../../api/deployment-schemas.js';
import type { ApiClient } from '../api-client.js';
import { describeProgress } from '../decide/describe-progress.js';
import { judgeWait, type WaitGoal } from '../decide/judge-wait.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { ProgressLine } from '../progress-line.js';
import type { Deployment } from './print-deployments.js';

const LOOK_AGAIN_MS = 500;

/**
 * Looks until a deployment is what is waited for, and tells what goes on meanwhile on standard error.
 *
 * @throws CliError when the time is over, or when it will not come by itself
 */
export async function waitUntil(
  client: ApiClient,
  name: string,
  goal: WaitGoal,
  { timeoutSeconds, json }: { readonly timeoutSeconds: number; readonly json: boolean },
): Promise<void> {
  const path = `/deployments/${encodeURIComponent(name)}`;
  const deadlineMs = performance.now() + timeoutSeconds * 1000;
  const progress = new ProgressLine(process.stderr);
  try {
    for (;;) {
      const item = await client.get(path, deploymentSchema);
      const verdict = judgeWait({ ...item, wish: item.engine === 'vllm' ? item.wish : null }, goal);
      if (verdict.kind === 'reached') {
        progress.end();
        if (json) printJson(item);
        else console.log(`${name} is ${goal}`);
        return;
      }
      const details = { code: verdict.kind === 'hopeless' ? 'not_wished' : 'timeout', deployment: item };
      if (verdict.kind === 'hopeless') {
        throw new CliError(exitCodes.refused, verdict.reason, verdict.fix, details);
      }
      const text = standing(item);
      if (performance.now() >= deadlineMs) {
        const message = `${name} is not ${goal} after ${timeoutSeconds} s: ${text}`;
        throw new CliError(exitCodes.failed, message, fixOf(item), details);
      }
      progress.show(`${name}: ${text}`, item.observed?.status.phase ?? '');
      await pause(LOOK_AGAIN_MS);
    }
  } finally {
    progress.end();
  }
}

function standing({ host, hostPresence, observed }: Deployment): string {
  if (hostPresence !== 'online') return `its host ${host} is ${hostPresence}`;
  return describeProgress(observed, Date.now());
}

/** An issue knows best what mends it. */
function fixOf({ name, host, hostPresence, issues }: Deployment): string {
  if (hostPresence !== 'online') return `see why: ai-fabric hosts show ${host}`;
  const fix = issues.find((issue) => issue.fix !== null)?.fix ?? null;
  return fix ?? `look into its log (ai-fabric logs ${name}), or wait longer with --timeout`;
}
