import type { Contender } from './contender.js';
import { CHAT_ANSWER, chatRequest } from './sample-bodies.js';

/** @returns `relayed` where the answer is the engine's, else what came instead */
export async function askOnce({ port, path, headers }: Contender['target']): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: chatRequest(false),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await answer.text();
  const relayed = answer.status === 200 && contentOf(text) === contentOf(CHAT_ANSWER);
  return relayed ? 'relayed' : `${answer.status} ${text.slice(0, 300)}`;
}

/** A gateway may add fields, drop them or name another model; what the model said must be there. */
function contentOf(text: string): string | undefined {
  const answer = JSON.parse(text) as { choices?: readonly { message?: { content?: string } }[] };
  return answer.choices?.[0]?.message?.content;
}
