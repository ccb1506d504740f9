import type { ServiceEnding, ServiceFacts } from '../../doctor/host-checks.js';
import type { RunTool } from '../../identity/run-tool.js';
import { SERVICE } from './decide/linux-paths.js';
import { readLastWords } from './decide/read-last-words.js';

/** More than one start and its end say. */
const JOURNAL_LINES = 60;
const PROPERTIES = 'LoadState,UnitFileState,ActiveState,SubState,NRestarts,Result,ExecMainStatus';
/** One that was ended by hand is started again once. */
const KEEPS_ENDING = 2;

/** It runs, starts, or is started again in a moment: whoever stops it then ends what was meant to serve. */
export async function isServiceUp(runTool: RunTool): Promise<boolean> {
  const asks = ['show', '--property=ActiveState', '--value', SERVICE];
  const state = await runTool('systemctl', asks).catch(() => '');
  return ['active', 'activating', 'reloading'].includes(state.trim());
}

/** What systemd says of the service; `null`: it has none of that name. */
export async function readServiceState(runTool: RunTool): Promise<ServiceFacts | null> {
  const answers = await runTool('systemctl', ['show', `--property=${PROPERTIES}`, SERVICE]).catch(() => '');
  const said = new Map(answers.split('\n').map((line) => line.trim().split('=', 2) as [string, string]));
  if (said.get('LoadState') !== 'loaded') return null;
  const ending = judgeEnding(said);
  return {
    isEnabled: said.get('UnitFileState') === 'enabled',
    isActive: said.get('ActiveState') === 'active',
    ending: ending === null ? null : { ...ending, lastWords: await lastWords(runTool) },
  };
}

/** @returns `null` where it runs, was stopped, or starts for the first time */
function judgeEnding(said: ReadonlyMap<string, string>): Omit<ServiceEnding, 'lastWords'> | null {
  const state = said.get('ActiveState');
  const restarts = Number(said.get('NRestarts') ?? 0);
  const how = describeResult(said.get('Result'), said.get('ExecMainStatus'));
  if (state === 'failed') return { isRetried: false, restarts, how };
  // It was started yet again, and may end as it did before: counted anew whenever a person starts it.
  const isTried = (state === 'active' || state === 'activating') && restarts >= KEEPS_ENDING;
  return said.get('SubState') === 'auto-restart' || isTried ? { isRetried: true, restarts, how } : null;
}

function describeResult(result = 'success', status = ''): string | null {
  switch (result) {
    case 'success':
      return null;
    case 'exit-code':
      return `exit code ${status}`;
    case 'signal':
    case 'core-dump':
      return `signal ${status}`;
    default:
      return result;
  }
}

async function lastWords(runTool: RunTool): Promise<string | null> {
  const asks = ['--no-pager', '--quiet', '--output=json', '--output-fields=_PID,MESSAGE'];
  const journal = await runTool('journalctl', [
    ...asks,
    `--lines=${JOURNAL_LINES}`,
    `--unit=${SERVICE}`,
  ]).catch(() => '');
  return readLastWords(journal);
}
