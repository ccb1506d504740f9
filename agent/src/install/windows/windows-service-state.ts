import { type ServiceManagerOptions, serviceManager } from './service-manager.js';

/** What Windows says of the service; `null`: it has none of that name. */
export async function readWindowsServiceState(
  options: ServiceManagerOptions,
): Promise<{ readonly isEnabled: boolean; readonly isActive: boolean } | null> {
  const service = serviceManager(options);
  const entry = await service.entry();
  if (entry === null) return null;
  return { isEnabled: entry.isAutomatic, isActive: (await service.state()) === 'running' };
}
