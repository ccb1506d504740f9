/** What an event stream brought, to its end or to where it broke off. */
export interface ReadStream {
  /** The bytes as they came. */
  readonly text: string;
  /** Each `data:` that is JSON. */
  readonly events: readonly StreamEvent[];
  readonly done: boolean;
  /** The deltas of a chat in one. */
  readonly content: string;
  /** Of an error event. */
  readonly errorCode: string | null;
}

interface StreamEvent {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: { readonly completion_tokens: number } | null;
  readonly error?: { readonly code: string };
}

/** @throws where bytes are no UTF-8, or the connection breaks before the end of the body */
export async function readStream(answer: Response): Promise<ReadStream> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await answer.arrayBuffer());
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  const events = data.filter((each) => each !== '[DONE]').map((each) => JSON.parse(each) as StreamEvent);
  return {
    text,
    events,
    done: data.at(-1) === '[DONE]',
    content: events.map((event) => event.choices?.[0]?.delta?.content ?? '').join(''),
    errorCode: events.find((event) => event.error)?.error?.code ?? null,
  };
}
