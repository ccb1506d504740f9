export { readClientDefaults } from './config/client-defaults.js';
export type { ControlPlaneConfig } from './config/control-plane-config.js';
export { readControlPlaneConfig } from './config/read-control-plane-config.js';
export { portHolder } from './http/port-holder.js';
export { LogTail } from './log-tail.js';
export { type ControlPlane, startControlPlane } from './start-control-plane.js';
export { StartError } from './start-error.js';
