import type { ServiceFacts } from '../../doctor/host-checks.js';
import { type ServiceManagerOptions, serviceManager } from './service-manager.js';

/** What Windows says of the service; `null`: it has none of that name. */
export async function readWindowsServiceState(options: ServiceManagerOptions): Promise<ServiceFacts | null> {
  const service = serviceManager(options);
  const entry = await service.entry();
  if (entry === null) return null;
  const state = await service.state();
  return {
    isEnabled: entry.isAutomatic,
    isActive: state === 'running',
    // The wrapper calls itself paused between the end of its program and the next start, and counts nothing.
    ending: state === 'paused' ? { isRetried: true, restarts: null, how: null, lastWords: null } : null,
  };
}
