import { z } from '@hono/zod-openapi';

/** RFC 9457 problem details, with a stable `code` for programs and a `fix` for people. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'As `code`, a URI', example: 'urn:ai-fabric:problem:not_found' }),
    title: z.string().openapi({ description: 'The same for every problem of this code' }),
    status: z.int(),
    code: z.string().openapi({ description: 'Stable; for programs' }),
    detail: z.string().openapi({ description: 'About this very request' }),
    fix: z.string().nullable().openapi({ description: 'What mends it, where that is known' }),
    instance: z.string().openapi({
      description: 'This very request, as `x-request-id` names it',
      example: 'urn:ai-fabric:request:req-1',
    }),
  })
  .openapi('Problem');
export type Problem = z.infer<typeof problemSchema>;

/** Status and title of each code. */
const problems = {
  unauthorised: [401, 'The admin token is missing or wrong'],
  forbidden: [403, 'Not allowed'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'This path does not take this method'],
  length_required: [411, 'The body came without its length'],
  too_large: [413, 'The body is too large'],
  invalid: [400, 'The request is not valid'],
  cursor_invalid: [400, 'The cursor is not one of this query'],
  unsupported_media_type: [415, 'The body is not declared as JSON'],
  in_use: [409, 'Something else still uses it'],
  conflict: [409, 'It was changed in between'],
  not_managed: [409, 'Its engine is run by somebody else'],
  host_away: [409, 'The host has no link'],
  already_awake: [409, 'The host is awake'],
  not_wakeable: [409, 'The host cannot be woken'],
  no_release: [409, 'There is nothing to upgrade to'],
  not_newer: [409, 'The agent is not older than what lies here'],
  not_put_to_sleep: [409, 'The host stays awake'],
  in_flight: [409, 'The same request is under way'],
  outcome_unknown: [409, 'Nobody knows what came of the same request'],
  answer_not_kept: [409, 'It was done, and its answer was not kept'],
  idempotency_key_reused: [422, 'The idempotency key belongs to another request'],
  no_tunnel: [503, 'The host has no tunnel'],
  too_many: [503, 'Too many of these at once'],
  host_failed: [502, 'The host could not do it'],
  host_unanswered: [504, 'The host did not answer in time'],
  registry_busy: [503, 'The registry is locked by another program'],
  registry_unwritable: [507, 'The registry cannot be written'],
  backup_failed: [507, 'The backup could not be made'],
  query_unanswered: [503, 'What was kept could not be read in time'],
  internal: [500, 'The control plane failed'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problems;

/** Thrown by routes; rendered in one place. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly fix: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    fix: string | null = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.code = code;
    this.fix = fix;
    this.headers = headers;
  }

  get status(): (typeof problems)[ProblemCode][0] {
    return problems[this.code][0];
  }

  toProblem(requestId: string): Problem {
    const { code, message: detail, fix } = this;
    const [status, title] = problems[code];
    const instance = `urn:ai-fabric:request:${requestId}`;
    return { type: `urn:ai-fabric:problem:${code}`, title, status, code, detail, fix, instance };
  }
}
