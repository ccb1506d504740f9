/** States of a service; `absent`: there is none of that name. */
export type ServiceState =
  | 'absent'
  | 'stopped'
  | 'start_pending'
  | 'stop_pending'
  | 'running'
  | 'continue_pending'
  | 'pause_pending'
  | 'paused';

const STATES: Readonly<Record<string, ServiceState>> = {
  1: 'stopped',
  2: 'start_pending',
  3: 'stop_pending',
  4: 'running',
  5: 'continue_pending',
  6: 'pause_pending',
  7: 'paused',
};

/**
 * The state in what `sc query NAME` prints. Its labels are translated, its constants are not: `STATUS : 4  RUNNING`.
 */
export function parseServiceState(output: string): ServiceState {
  const found =
    /:\s*([1-7])\s+(?:STOPPED|START_PENDING|STOP_PENDING|RUNNING|CONTINUE_PENDING|PAUSE_PENDING|PAUSED)\b/.exec(
      output,
    );
  return STATES[found?.[1] ?? ''] ?? 'absent';
}

/** Of a service, as the registry has it: `sc qc` prints the same under labels of the system's language. */
export interface ServiceEntry {
  /** The program that the service manager starts, without its arguments. */
  readonly image: string | null;
  readonly isAutomatic: boolean;
}

/** @param output what `reg query HKLM\SYSTEM\CurrentControlSet\Services\NAME` prints */
export function parseServiceEntry(output: string): ServiceEntry {
  const values = new Map<string, string>();
  for (const line of output.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^\s+(\S+)\s+REG_\w+\s+(.*?)\s*$/.exec(line) ?? [];
    if (name !== '' && !values.has(name.toLowerCase())) values.set(name.toLowerCase(), value);
  }
  const image = values.get('imagepath');
  return {
    image: image === undefined ? null : programOf(image),
    isAutomatic: values.get('start')?.toLowerCase() === '0x2',
  };
}

/** Of a command line, as the service manager reads it. */
function programOf(commandLine: string): string {
  const quoted = /^"([^"]+)"/.exec(commandLine)?.[1];
  if (quoted !== undefined) return quoted;
  return /^.*?\.exe\b/i.exec(commandLine)?.[0] ?? commandLine;
}

/** Paths are alike in any case. */
export function isSamePath(one: string, other: string): boolean {
  return one.replaceAll('/', '\\').toLowerCase() === other.replaceAll('/', '\\').toLowerCase();
}
