/** What logind answers to `CanSuspend` and its like, as `busctl` prints it: `s "yes"`. */
export type CanDo = 'yes' | 'no' | 'challenge' | 'na' | 'unknown';

/** `challenge`: after a password; which nobody types for an agent. `na`: the machine cannot. */
export function parseCanDo(text: string): CanDo {
  const word = /^s "(yes|no|challenge|na|inhibited|challenge-inhibitor-blocked|inhibitor-blocked)"/m.exec(
    text,
  )?.[1];
  switch (word) {
    case 'yes':
    case 'no':
    case 'challenge':
    case 'na':
      return word;
    case undefined:
      return 'unknown';
    default:
      // Somebody holds it off for now: it can.
      return word.startsWith('challenge') ? 'challenge' : 'yes';
  }
}
