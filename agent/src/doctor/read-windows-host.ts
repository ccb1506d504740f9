import type { RunTool } from '../identity/run-tool.js';
import { readInstallRecord } from '../install/install-record.js';
import { LOGON_TASK, type WindowsRoots, windowsPaths } from '../install/windows/decide/windows-paths.js';
import { readHibernation } from '../sensors/host/windows-power-facts.js';
import type { WindowsHostFacts } from './host-checks.js';

/** What only Windows has of what serving stands on. Whoever may not read the record is told of no task. */
export async function readWindowsHost(roots: WindowsRoots, runTool: RunTool): Promise<WindowsHostFacts> {
  const paths = windowsPaths(roots);
  const record = await readInstallRecord(paths.recordFile).catch(() => null);
  const wasMade = record?.made.some(({ kind }) => kind === 'task') ?? false;
  const [{ fastStartup }, isThere] = await Promise.all([
    readHibernation(roots.windows, (file, args) => runTool(file, args).catch(() => '')),
    runTool(paths.tool('schtasks'), ['/Query', '/TN', LOGON_TASK]).then(
      () => true,
      () => false,
    ),
  ]);
  return { hasLogonTask: wasMade && isThere, fastStartup };
}
