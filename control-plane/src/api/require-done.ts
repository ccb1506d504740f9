import { ApiError } from './problem.js';

/** What came of a command to an agent. */
export interface CommandOutcome {
  readonly result: 'done' | 'failed' | 'refused' | 'expired';
  readonly code: string | null;
  readonly detail: string | null;
}

/**
 * @param end `null`: the host has no link
 * @returns what the agent had to say
 * @throws ApiError host_away, host_failed, host_unanswered
 */
export function requireDone(host: string, end: CommandOutcome | null, deadlineMs: number): string | null {
  const { result, code, detail } = requireAnswer(host, end, deadlineMs);
  if (result === 'done') return detail;
  const said = [code, detail].filter((each) => each !== null).join(': ');
  throw new ApiError('host_failed', `the agent of ${host} ${result} it${said === '' ? '' : ` (${said})`}`);
}

/**
 * @param end `null`: the host has no link
 * @returns what the agent said, a no among it
 * @throws ApiError host_away, host_unanswered
 */
export function requireAnswer(
  host: string,
  end: CommandOutcome | null,
  deadlineMs: number,
): CommandOutcome & { readonly result: 'done' | 'failed' | 'refused' } {
  if (end === null) {
    const fix = `see whether its agent is there: ai-fabric hosts show ${host}`;
    throw new ApiError('host_away', `host "${host}" has no link, so its agent cannot be asked`, fix);
  }
  const { result, code, detail } = end;
  if (result !== 'expired') return { result, code, detail };
  const seconds = deadlineMs / 1_000;
  const fix = `see how it is: ai-fabric hosts show ${host}`;
  throw new ApiError('host_unanswered', `the agent of ${host} gave no outcome within ${seconds} s`, fix);
}
