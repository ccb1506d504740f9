import type { Clock } from '@ai-fabric/shared';
import type { RunTool } from '../../identity/run-tool.js';
import type { WindowsPaths } from './decide/windows-paths.js';
import { serviceManager } from './service-manager.js';

/** What Windows says of the service; `null`: it has none of that name. */
export async function readWindowsServiceState(
  paths: WindowsPaths,
  runTool: RunTool,
  clock: Clock,
): Promise<{ readonly isEnabled: boolean; readonly isActive: boolean } | null> {
  const service = serviceManager(paths, runTool, clock);
  const entry = await service.entry();
  if (entry === null) return null;
  return { isEnabled: entry.isAutomatic, isActive: (await service.state()) === 'running' };
}
