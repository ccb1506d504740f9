import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Where a test's engine may have its socket or pipe; both differ from run to run. */
export function enginePath(folder: string): string {
  const name = randomBytes(4).toString('hex');
  return process.platform === 'win32' ? `\\\\.\\pipe\\ai-fabric-test-${name}` : join(folder, `${name}.sock`);
}
