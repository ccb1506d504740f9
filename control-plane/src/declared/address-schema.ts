import { z } from 'zod';
import { describeUrlProblem } from './decide/describe-url-problem.js';

/** What an editor can say of an address without our code: `describeUrlProblem`, as one expression. */
const AUTHORITY = String.raw`[hH][tT][tT][pP][sS]?://(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]\\]+)(:[0-9]{1,5})?`;
export const BASE_ADDRESS = `^${AUTHORITY}(/[^?#]*)?$`;
export const ENGINE_ADDRESS = `^${AUTHORITY}(/(?!([^?#]*/)?v1/?$)[^?#]*)?$`;

export function addressSchema(example: string, mayEndInVersion: boolean) {
  return z
    .string()
    .max(500)
    .superRefine((text, context) => {
      const problem = describeUrlProblem(text, { example, mayEndInVersion });
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    });
}
