/** OpenAI's `type` field. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

/** Every error that the gateway itself answers with: its code first, HTTP's status last. */
export const ERROR_TABLE = {
  /** No request at all. */
  bad_request: { status: 400, type: 'invalid_request_error' },
  invalid_json: { status: 400, type: 'invalid_request_error' },
  invalid_multipart: { status: 400, type: 'invalid_request_error' },
  invalid_request: { status: 400, type: 'invalid_request_error' },
  missing_required_parameter: { status: 400, type: 'invalid_request_error' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error' },
  wrong_task: { status: 400, type: 'invalid_request_error' },
  /** Nobody who serves the model speaks this endpoint. */
  endpoint_not_spoken: { status: 400, type: 'invalid_request_error' },
  /** No target can do what the request needs. */
  lacks_capability: { status: 400, type: 'invalid_request_error' },
  /** The role keeps its targets for other requests. */
  condition_unmet: { status: 400, type: 'invalid_request_error' },
  unknown_target: { status: 400, type: 'invalid_request_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  /** It was good when the request began. */
  key_revoked: { status: 401, type: 'authentication_error' },
  origin_not_allowed: { status: 403, type: 'permission_error' },
  cloud_not_allowed: { status: 403, type: 'permission_error' },
  local_only: { status: 503, type: 'server_error' },
  limit_is_zero: { status: 403, type: 'permission_error' },
  /** A response that was answered before is not kept, here or there. */
  response_not_found: { status: 404, type: 'invalid_request_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  unknown_path: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  body_timeout: { status: 408, type: 'invalid_request_error' },
  request_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  expectation_failed: { status: 417, type: 'invalid_request_error' },
  host_not_allowed: { status: 421, type: 'permission_error' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  internal: { status: 500, type: 'server_error' },
  upstream_unreachable: { status: 502, type: 'server_error' },
  upstream_invalid_answer: { status: 502, type: 'server_error' },
  upstream_misconfigured: { status: 502, type: 'server_error' },
  upstream_error: { status: 502, type: 'server_error' },
  upstream_interrupted: { status: 502, type: 'server_error' },
  no_capacity: { status: 503, type: 'server_error' },
  host_away: { status: 503, type: 'server_error' },
  /** A wake could bring its host, and is not tried, or was in vain. */
  host_asleep: { status: 503, type: 'server_error' },
  /** Its host is being woken. */
  waking: { status: 503, type: 'server_error' },
  /** A replica is on its way, and did not come in time. */
  loading: { status: 503, type: 'server_error' },
  not_ready: { status: 503, type: 'server_error' },
  /** The owner of its host has the card. */
  yielded: { status: 503, type: 'server_error' },
  all_failed: { status: 503, type: 'server_error' },
  provider_key_missing: { status: 503, type: 'server_error' },
  overloaded: { status: 503, type: 'server_error' },
  shutting_down: { status: 503, type: 'server_error' },
  upstream_timeout: { status: 504, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: ErrorType }>;

export type GatewayErrorCode = keyof typeof ERROR_TABLE;

/** An error as the client sees it. */
export interface GatewayError {
  readonly code: GatewayErrorCode;
  /** What is wrong, where, and what to do. */
  readonly message: string;
  /** The body's field that is at fault. */
  readonly param: string | null;
}

export function gatewayError(
  code: GatewayErrorCode,
  message: string,
  param: string | null = null,
): GatewayError {
  return { code, message, param };
}

/** The fields of OpenAI's error envelope; other forms are made from them. */
export interface ErrorFields {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export function errorFields(error: GatewayError): ErrorFields {
  return {
    message: error.message,
    type: ERROR_TABLE[error.code].type,
    param: error.param,
    code: error.code,
  };
}

/** A comment of ours between the events of a stream: clients skip it. */
export function renderComment(text: string): string {
  return `: ${text.replaceAll(/[\r\n]+/g, ' ')}\n\n`;
}
