import type { RunTool } from '../../identity/run-tool.js';
import { SERVICE } from './decide/linux-paths.js';

/** It runs, starts, or is started again in a moment: whoever stops it then ends what was meant to serve. */
export async function isServiceUp(runTool: RunTool): Promise<boolean> {
  const asks = ['show', '--property=ActiveState', '--value', SERVICE];
  const state = await runTool('systemctl', asks).catch(() => '');
  return ['active', 'activating', 'reloading'].includes(state.trim());
}

/** What systemd says of the service; `null`: it has none of that name. */
export async function readServiceState(
  runTool: RunTool,
): Promise<{ readonly isEnabled: boolean; readonly isActive: boolean } | null> {
  const answers = await runTool('systemctl', [
    'show',
    '--property=LoadState,UnitFileState,ActiveState',
    SERVICE,
  ]).catch(() => '');
  const said = new Map(answers.split('\n').map((line) => line.split('=', 2) as [string, string]));
  if (said.get('LoadState') !== 'loaded') return null;
  return {
    isEnabled: said.get('UnitFileState')?.trim() === 'enabled',
    isActive: said.get('ActiveState')?.trim() === 'active',
  };
}
