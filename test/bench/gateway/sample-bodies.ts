export const BENCH_MODEL = 'bench-model';
export const BENCH_ROLE = 'chat-fast';
export const CHAT_PATH = '/v1/chat/completions';

const REQUEST_BYTES = 600;

/** A chat request, of 600 bytes unless it is to be longer. */
export function chatRequest(stream: boolean, bytes = REQUEST_BYTES): string {
  const body = (question: string): string =>
    JSON.stringify({
      model: BENCH_ROLE,
      messages: [
        { role: 'system', content: 'You are a careful assistant. Answer in one short paragraph.' },
        { role: 'user', content: question },
      ],
      temperature: 0.2,
      max_tokens: 512,
      stream,
    });
  const text = 'Which of the three machines should answer this, and what does it cost to wake it up? ';
  const room = bytes - body('').length;
  return body(text.repeat(Math.ceil(room / text.length)).slice(0, room));
}

const CONTENT =
  'The machine that is awake and has the most free memory should answer. Waking another one takes about forty ' +
  'seconds from suspend and somewhat longer from power-off, most of it spent on loading the weights into the card. ' +
  'As long as the queue of the first machine is shorter than that, waiting there is the better choice for everybody.';

/** A whole answer as vLLM 0.10 gives it, about 1 kB. */
export const CHAT_ANSWER = JSON.stringify({
  id: 'chatcmpl-0f2b6a1d9c7e4f5f8a3b2c1d0e9f8a7b',
  object: 'chat.completion',
  created: 1_763_900_000,
  model: BENCH_MODEL,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: CONTENT,
        refusal: null,
        annotations: null,
        audio: null,
        function_call: null,
        tool_calls: [],
        reasoning_content: null,
      },
      logprobs: null,
      finish_reason: 'stop',
      stop_reason: null,
    },
  ],
  service_tier: null,
  system_fingerprint: null,
  usage: { prompt_tokens: 131, total_tokens: 212, completion_tokens: 81, prompt_tokens_details: null },
  prompt_logprobs: null,
  kv_transfer_params: null,
});

export const MODELS_ANSWER = JSON.stringify({
  object: 'list',
  data: [
    {
      id: BENCH_MODEL,
      object: 'model',
      created: 1_763_900_000,
      owned_by: 'vllm',
      root: BENCH_MODEL,
      parent: null,
      max_model_len: 16_384,
    },
  ],
});

function chunk(fields: object): string {
  const head = {
    id: 'chatcmpl-0f2b6a1d9c7e4f5f8a3b2c1d0e9f8a7b',
    object: 'chat.completion.chunk',
    created: 1_763_900_000,
    model: BENCH_MODEL,
  };
  return `data: ${JSON.stringify({ ...head, ...fields })}\n\n`;
}

function choice(delta: object, finishReason: string | null): object {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] };
}

export const FIRST_CHUNK = chunk(choice({ role: 'assistant', content: '' }, null));
export const TOKEN_CHUNK = chunk(choice({ content: ' machine' }, null));
export const LAST_CHUNKS =
  chunk(choice({ content: '' }, 'stop')) +
  chunk({ choices: [], usage: { prompt_tokens: 131, total_tokens: 731, completion_tokens: 600 } }) +
  'data: [DONE]\n\n';
