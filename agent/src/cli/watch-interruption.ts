import { Interruption } from '@ai-fabric/shared';

/** Of a command that changes this machine, while it does. The caller closes it. */
export function watchInterruption(): Interruption {
  return new Interruption(process, () =>
    console.error('Interrupted: what is under way is brought to a safe end. Once more ends it at once.'),
  );
}
