/** A refusal in OpenAI's words. */
export class OpenAiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    fields: { type: string; code?: string; param?: string; headers?: Record<string, string> },
  ) {
    super(message);
    this.status = status;
    this.type = fields.type;
    this.code = fields.code ?? null;
    this.param = fields.param ?? null;
    this.headers = fields.headers ?? {};
  }

  get body(): object {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

export function missingKey(): OpenAiError {
  const message =
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
  return new OpenAiError(401, message, { type: 'invalid_request_error' });
}

export function wrongKey(key: string): OpenAiError {
  const shown = key.length > 8 ? `${key.slice(0, 4)}${'*'.repeat(key.length - 8)}${key.slice(-4)}` : '***';
  const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  return new OpenAiError(401, message, { type: 'invalid_request_error', code: 'invalid_api_key' });
}

export function badRequest(message: string, param?: string): OpenAiError {
  return new OpenAiError(400, message, { type: 'invalid_request_error', ...(param ? { param } : {}) });
}

export function unknownModel(model: string): OpenAiError {
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  return new OpenAiError(404, message, { type: 'invalid_request_error', code: 'model_not_found' });
}

export function unknownResponse(id: string): OpenAiError {
  return new OpenAiError(400, `Previous response with id '${id}' not found.`, {
    ...{ type: 'invalid_request_error', code: 'previous_response_not_found', param: 'previous_response_id' },
  });
}

export function contextExceeded(limit: number, tokens: number): OpenAiError {
  const message = `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`;
  return new OpenAiError(400, message, {
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    param: 'messages',
  });
}

export function rateLimited(type: 'requests' | 'tokens', retryAfterSeconds: number): OpenAiError {
  const message = `Rate limit reached on ${type} per min. Please try again in ${retryAfterSeconds}s.`;
  const headers = {
    'retry-after': String(retryAfterSeconds),
    'retry-after-ms': String(retryAfterSeconds * 1000),
  };
  return new OpenAiError(429, message, { type, code: 'rate_limit_exceeded', headers });
}

/** Also a 429, but waiting does not help. */
export function quotaExceeded(): OpenAiError {
  const message = 'You exceeded your current quota, please check your plan and billing details.';
  return new OpenAiError(429, message, { type: 'insufficient_quota', code: 'insufficient_quota' });
}

export function serverError(status: number): OpenAiError {
  const message = 'The server had an error while processing your request. Sorry about that!';
  return new OpenAiError(status, message, { type: 'server_error' });
}
