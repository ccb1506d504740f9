import type { CommandOf, PowerVerb } from '@ai-fabric/shared';

/** What a power command is judged by. */
export interface PowerMoment {
  /** What the host's owner allows. */
  readonly allowed: readonly PowerVerb[];
  readonly bootId: string;
  /** The link that it came on still stands. */
  readonly linkStands: boolean;
  /** A power command is under way. */
  readonly isBusy: boolean;
}

export interface PowerRefusal {
  readonly result: 'refused';
  readonly code: 'void_on_new_boot' | 'void_on_new_link' | 'policy_refused' | 'power_under_way';
  readonly detail: string;
}

/** Why it is not done; `null`: it is. What was asked yesterday must not end what runs today. */
export function judgePowerCommand(
  { verb, bootId }: Pick<CommandOf<'power'>, 'verb' | 'bootId'>,
  moment: PowerMoment,
): PowerRefusal | null {
  if (bootId !== moment.bootId) {
    return refuse('void_on_new_boot', `It was for another boot of this host; this one is ${moment.bootId}.`);
  }
  if (!moment.linkStands) {
    return refuse('void_on_new_link', 'The link that it came on is no more.');
  }
  if (!moment.allowed.includes(verb)) {
    const allowed = moment.allowed.length === 0 ? 'nothing' : moment.allowed.join(', ');
    return refuse('policy_refused', `The host's policy allows ${allowed}; not ${verb} (agent.yaml: power).`);
  }
  return moment.isBusy ? refuse('power_under_way', 'Another power command is under way.') : null;
}

function refuse(code: PowerRefusal['code'], detail: string): PowerRefusal {
  return { result: 'refused', code, detail };
}
