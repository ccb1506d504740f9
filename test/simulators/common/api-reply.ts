/** What the tests of an OpenAI-shaped API look into. A reply that lacks a part fails the test that reads it. */
export interface ApiReply {
  readonly model: string;
  readonly choices: readonly [ApiChoice];
  readonly usage: ApiUsage;
  readonly data: readonly [ApiDatum, ...ApiDatum[]];
  readonly error: { readonly message: string; readonly type: string; readonly code: number | string };
  readonly tokens: readonly number[];
}

export interface ApiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

interface ApiChoice {
  readonly text: string;
  readonly message: { readonly content: string; readonly tool_calls: readonly [ApiToolCall] };
  readonly delta: { readonly content: string; readonly tool_calls?: readonly ApiToolCall[] };
  readonly finish_reason: string | null;
}

interface ApiToolCall {
  readonly id: string;
  readonly index: number;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface ApiDatum {
  readonly id: string;
  readonly embedding: readonly number[] | string;
}

export async function readReply(response: Promise<Response> | Response): Promise<ApiReply> {
  return (await (await response).json()) as ApiReply;
}

/**
 * The events of a whole stream.
 *
 * @throws Error when it does not end in `[DONE]`
 */
export async function readEvents(response: Promise<Response> | Response): Promise<ApiReply[]> {
  const text = await (await response).text();
  const lines = text.split('\n\n').filter((line) => line !== '');
  if (lines.pop() !== 'data: [DONE]') throw new Error(`a stream without its end: …${text.slice(-80)}`);
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as ApiReply);
}
