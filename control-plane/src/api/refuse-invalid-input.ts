import { type OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import { describeSchemaIssues } from '../declared/decide/describe-schema-issues.js';
import { keysOfSchema, type SchemaNode } from '../declared/decide/keys-of-schema.js';
import { ApiError } from './problem.js';

const MAX_TOLD = 5;
const PARTS: Readonly<Record<string, string>> = { json: 'body', param: 'path' };

interface Checked {
  readonly success: boolean;
  readonly target: string;
  /** What came. */
  readonly data?: unknown;
  readonly error?: z.core.$ZodError;
}

/**
 * Makes every route that is added from now on say of what came which field is wrong, what was expected and what was
 * found, in the words of fabric.yaml's errors.
 */
export function refuseInvalidInput(app: OpenAPIHono): void {
  const add = app.openapi as (route: RouteConfig, handler: Handler, hook?: unknown) => OpenAPIHono;
  const addChecked: typeof add = (route, handler) =>
    add(route, handler, (result: Checked) => {
      if (!result.success) throw describeInput(result, bodySchemaOf(route));
    });
  app.openapi = addChecked as typeof app.openapi;
}

function describeInput({ target, data, error }: Checked, body: z.ZodType | null): ApiError {
  const schema = target === 'json' && body !== null ? (jsonSchemaOf(body) as SchemaNode) : {};
  const findings = describeSchemaIssues(error?.issues ?? [], {
    root: data,
    knownKeys: (path) => keysOfSchema(schema, path),
  });
  const part = PARTS[target] ?? target;
  const told = findings
    .slice(0, MAX_TOLD)
    .map(({ path, message }) => `${[part, path.join('.')].join(' ').trimEnd()}: ${message}`);
  const more = findings.length > MAX_TOLD ? `; and ${findings.length - MAX_TOLD} more` : '';
  return new ApiError('invalid', `${told.join('; ')}${more}`);
}

function jsonSchemaOf(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function bodySchemaOf({ request }: RouteConfig): z.ZodType | null {
  const content = request?.body?.content['application/json'];
  return content !== undefined && 'schema' in content && content.schema instanceof z.ZodType
    ? content.schema
    : null;
}
