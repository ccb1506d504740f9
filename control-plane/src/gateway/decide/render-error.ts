import { ERROR_TABLE, type ErrorFields, errorFields, type GatewayError } from './error-table.js';

/** How an API tells its errors. */
export interface ErrorForm {
  /** The body of an answer that is an error. */
  whole(fields: ErrorFields, status: number, requestId: string): string;
  /**
   * The event of a stream whose 200 is already sent; nothing follows it.
   *
   * @param eventsBefore how many events of the stream came before it
   */
  event(fields: ErrorFields, status: number, requestId: string, eventsBefore: number): string;
}

/** OpenAI's envelope, in which all but `/messages` tells an error. */
export const OPENAI_ERRORS: ErrorForm = {
  whole: renderEnvelope,
  event: (fields) => `data: ${renderEnvelope(fields)}\n\n`,
};

/**
 * OpenAI's, but a stream of `/responses` has typed events with numbers. The documentation has the fields flat, and
 * its own clients raise what stands in `error`: both are there.
 */
export const RESPONSES_ERRORS: ErrorForm = {
  whole: renderEnvelope,
  event: ({ message, type, param, code }, _status, _requestId, eventsBefore) => {
    const error = { message, type, param, code };
    const event = { type: 'error', code, message, param, sequence_number: eventsBefore, error };
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
  },
};

/** Anthropic's envelope; our code and the field at fault come as further members. */
export const ANTHROPIC_ERRORS: ErrorForm = {
  whole: renderAnthropic,
  event: (fields, status, requestId) =>
    `event: error\ndata: ${renderAnthropic(fields, status, requestId)}\n\n`,
};

/** An error of ours, as the event that ends a stream. */
export function renderErrorEvent(
  form: ErrorForm,
  error: GatewayError,
  requestId: string,
  eventsBefore: number,
): string {
  return form.event(errorFields(error), ERROR_TABLE[error.code].status, requestId, eventsBefore);
}

function renderEnvelope(fields: ErrorFields): string {
  const { message, type, param, code } = fields;
  return JSON.stringify({ error: { message, type, param, code } });
}

function renderAnthropic(fields: ErrorFields, status: number, requestId: string): string {
  const { message, param, code } = fields;
  const error = { type: anthropicType(fields.type, status), message, code, param };
  return JSON.stringify({ type: 'error', error, request_id: requestId });
}

/** Anthropic tells the kind by the status as well, and has names for some that OpenAI has not. */
function anthropicType(type: string, status: number): string {
  const named = TYPES.get(status);
  if (named !== undefined) return named;
  if (type !== 'server_error') return type;
  return 'api_error';
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);
