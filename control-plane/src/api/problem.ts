import { z } from '@hono/zod-openapi';

/** RFC 9457 problem details, with a stable `code` for programs and a `fix` for people. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    fix: z.string().nullable(),
  })
  .openapi('Problem');

export type ProblemCode =
  | 'unauthorised'
  | 'forbidden'
  | 'not_found'
  | 'invalid'
  | 'unsupported_media_type'
  | 'in_use'
  | 'conflict'
  | 'registry_busy'
  | 'registry_unwritable'
  | 'backup_failed'
  | 'internal';

const statuses = {
  unauthorised: 401,
  forbidden: 403,
  not_found: 404,
  invalid: 400,
  unsupported_media_type: 415,
  in_use: 409,
  conflict: 409,
  registry_busy: 503,
  registry_unwritable: 507,
  backup_failed: 507,
  internal: 500,
} as const satisfies Record<ProblemCode, number>;

const titles: Readonly<Record<ProblemCode, string>> = {
  unauthorised: 'The admin token is missing or wrong',
  forbidden: 'Not allowed',
  not_found: 'There is no such thing',
  invalid: 'The request is not valid',
  unsupported_media_type: 'The body is not declared as JSON',
  in_use: 'Something else still uses it',
  conflict: 'It was changed in between',
  registry_busy: 'The registry is locked by another program',
  registry_unwritable: 'The registry cannot be written',
  backup_failed: 'The backup could not be made',
  internal: 'The control plane failed',
};

/** Thrown by routes; rendered in one place. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly fix: string | null;

  constructor(code: ProblemCode, detail: string, fix: string | null = null) {
    super(detail);
    this.code = code;
    this.fix = fix;
  }

  get status(): (typeof statuses)[ProblemCode] {
    return statuses[this.code];
  }

  toJSON(): z.infer<typeof problemSchema> {
    return {
      type: 'about:blank',
      title: titles[this.code],
      status: this.status,
      code: this.code,
      detail: this.message,
      fix: this.fix,
    };
  }
}
