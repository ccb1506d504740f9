import type { Clock } from '@ai-fabric/shared';
import type { HostAnswer, HostCalls, HostRequest } from './host-calls.js';
import { ApiError } from './problem.js';

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** For the beginning of the answer. */
  readonly deadlineMs: number;
}

const MAX_PROBLEM_BYTES = 4_096;

/**
 * A request to a host's agent. Its answer is a success; its body is still to be read.
 *
 * @throws ApiError no_tunnel, host_failed, host_unanswered, not_found
 */
export async function askHost(
  calls: HostCalls,
  host: string,
  request: HostRequest,
  { signal, clock, deadlineMs }: AskOptions,
): Promise<HostAnswer> {
  const ended = new AbortController();
  const end = () => ended.abort();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  let late = false;
  const timer = clock.after(deadlineMs, () => {
    late = true;
    end();
  });
  let answer: HostAnswer | null;
  try {
    answer = await calls.request(host, request, ended.signal);
  } catch (error) {
    if (late)
      throw new ApiError('host_unanswered', `the agent of ${host} did not answer in ${deadlineMs} ms`);
    throw new ApiError('host_failed', `the agent of ${host} could not be asked: ${String(error)}`);
  } finally {
    timer.cancel();
  }
  if (answer === null) {
    const fix = `see how it is: ai-fabric hosts show ${host}`;
    throw new ApiError('no_tunnel', `host "${host}" has no tunnel now, so nothing on it can be asked`, fix);
  }
  if (answer.status < 300) return answer;
  throw await refusal(host, answer);
}

async function refusal(host: string, { status, body }: HostAnswer): Promise<ApiError> {
  const text = await readAtMost(body, MAX_PROBLEM_BYTES);
  const said = explain(text);
  const detail = `the agent of ${host} answered ${status}${said.detail === '' ? '' : `: ${said.detail}`}`;
  if (status === 404) return new ApiError('not_found', detail);
  return new ApiError(said.code === 'in_use' ? 'in_use' : 'host_failed', detail);
}

/** An agent answers in plain words, or with a code beside them. */
function explain(text: string): { readonly code: unknown; readonly detail: string } {
  try {
    const { code, detail } = JSON.parse(text) as { readonly code?: unknown; readonly detail?: unknown };
    return { code, detail: typeof detail === 'string' ? detail : '' };
  } catch {
    return { code: null, detail: text.slice(0, 300) };
  }
}

/** What does not fit is not read. */
export async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}
