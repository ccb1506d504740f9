import type { HostCheck, HostCheckId, HostCheckState } from '../../doctor/host-checks.js';

const NAMES: Readonly<Record<HostCheckId, string>> = {
  linked: 'linked',
  driver_and_cards: 'driver and cards',
  container_engine: 'container engine',
  cdi: 'CDI',
  gpu_in_container: 'GPU in a container',
  wake_arming: 'wake arming',
  fast_startup: 'fast startup',
  sign_in_at_boot: 'sign-in at boot',
};

const MARKS: Readonly<Record<HostCheckState, string>> = {
  green: '✓',
  red: '✗',
  waiting: '·',
  not_applicable: '–',
};

const WIDTH = Math.max(...Object.values(NAMES).map(({ length }) => length));

/** One check for people: what was found, and below it the command that mends it. */
export function formatCheck({ id, state, says, fix }: HostCheck): string {
  const line = `  ${MARKS[state]} ${NAMES[id].padEnd(WIDTH)}  ${says}`;
  return fix === null ? line : `${line}\n    ${' '.repeat(WIDTH)}  → ${fix}`;
}

/** As the last line of a checklist. */
export function summariseChecks(checks: readonly HostCheck[]): string {
  const count = (state: HostCheckState): number => checks.filter((check) => check.state === state).length;
  const red = count('red');
  const waiting = count('waiting');
  return [
    red === 0 ? 'Nothing is wrong' : `${red} to mend`,
    ...(waiting === 0 ? [] : [`${waiting} not known yet`]),
  ].join(', ');
}
