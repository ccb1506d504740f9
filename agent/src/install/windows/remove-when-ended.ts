import { win32 } from 'node:path';
import { leaveTool } from '../../identity/run-tool.js';

const TRIES = 60;

/** Has Windows remove a file that this process is, within a minute of its end. */
export function removeWhenEnded(file: string, windowsDirectory: string): void {
  const system = win32.join(windowsDirectory, 'System32');
  const wait = `"${win32.join(system, 'ping.exe')}" -n 2 127.0.0.1 >nul`;
  const once = `if exist "${file}" (${wait} & del /f /q "${file}" 2>nul)`;
  const command = ['/d', '/s', '/c', `"for /l %i in (1,1,${TRIES}) do @${once}"`];
  leaveTool(win32.join(system, 'cmd.exe'), command, windowsDirectory);
}
