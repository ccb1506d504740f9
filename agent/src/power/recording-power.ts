import { appendFileSync } from 'node:fs';
import type { PowerVerb } from '@ai-fabric/shared';
import type { PowerPort } from './power-port.js';

/** One line of the file. */
export type RecordedPowerCall =
  | { readonly call: 'act'; readonly verb: PowerVerb }
  | { readonly call: 'hold' | 'release' };

/** For tests of whole programs: what would be done is written down instead, one line of JSON for each call. */
export function recordingPower(path: string): PowerPort {
  const record = (call: RecordedPowerCall): void => appendFileSync(path, `${JSON.stringify(call)}\n`);
  let held = false;
  const release = (): void => {
    if (held) record({ call: 'release' });
    held = false;
  };
  return {
    act: (verb) => Promise.resolve(record({ call: 'act', verb })),
    hold: () => {
      if (!held) record({ call: 'hold' });
      held = true;
      return Promise.resolve();
    },
    release,
    close: release,
  };
}
