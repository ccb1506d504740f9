import type { OpenAPIHono } from '@hono/zod-openapi';
import { VERSION } from '../version.js';
import { problemSchema } from './problem.js';

const DESCRIPTION = `
Everything that the command line does, over HTTP. Every call but this document needs the admin token.

Listings answer \`{ items, nextCursor }\`: send \`nextCursor\` as \`cursor\`, with the same filters, for the next page.
Failures are problem details (RFC 9457) with a stable \`code\`. Every answer has an \`x-request-id\`.
Writes take an \`Idempotency-Key\` and are recorded in the audit log.`.trim();

const tagDescriptions: Readonly<Record<string, string>> = {
  backups: 'Copies of the registry, whole and consistent, while it runs',
  checks: 'What is wrong, where, and what mends it',
  'declared state': 'What is wanted: plan, apply, export, and where things differ from it',
  keys: 'Who may ask /v1, for what and how much',
  requests: 'What was asked and why it was answered there, and how much was used',
  'control plane': 'The control plane itself',
  hosts: 'Machines with an agent',
  deployments: 'The declared wishes: this model, with this engine, on this host',
  roles: 'The names that clients ask for',
  'join tokens': 'What lets a new host in, once',
  audit: 'Who changed what',
  feed: 'What changes, as it changes',
};

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

type ApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

/** The OpenAPI document of all routes that were added, with what all of them have in common. */
export function describeApi(app: OpenAPIHono): ApiDocument {
  const registry = app.openAPIRegistry;
  registry.registerComponent('securitySchemes', 'adminToken', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('parameters', 'IdempotencyKey', {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'The same key with the same request within 24 hours gets the first answer again (`idempotent-replayed: true`) and changes nothing.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });
  registry.register('Problem', problemSchema);
  registry.registerComponent('responses', 'Problem', {
    description: 'Any other failure',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'AI Fabric control API',
      version: VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ adminToken: [] }],
  });
  return addWhatAllHave(mendPatterns(document));
}

/** The generator leaves the flag of a regular expression at its end, and a JSON Schema is read with "u" anyway. */
function mendPatterns(document: ApiDocument): ApiDocument {
  const text = JSON.stringify(document, (key, value: unknown) =>
    key === 'pattern' && typeof value === 'string' ? value.replace(/\/u$/, '') : value,
  );
  return JSON.parse(text) as ApiDocument;
}

function addWhatAllHave(document: ApiDocument): ApiDocument {
  const tags = new Set<string>();
  for (const item of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      for (const tag of operation.tags ?? []) tags.add(tag);
      operation.responses = { ...operation.responses, default: { $ref: '#/components/responses/Problem' } };
      if (method === 'get' || operation['x-changes-nothing'] === true) continue;
      const key = { $ref: '#/components/parameters/IdempotencyKey' };
      operation.parameters = [...(operation.parameters ?? []), key];
    }
  }
  const described = [...tags].sort().map((name) => {
    const description = tagDescriptions[name];
    return description === undefined ? { name } : { name, description };
  });
  return { ...document, tags: described };
}

/** The methods that a path takes, were it asked with one of them. */
export function allowedMethods(document: ApiDocument, path: string): string[] {
  const methods = new Set<string>();
  for (const [pattern, item] of Object.entries(document.paths ?? {})) {
    if (!matches(pattern, path)) continue;
    for (const method of METHODS) if (item[method] !== undefined) methods.add(method.toUpperCase());
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => (part.startsWith('{') ? given[index] !== '' : part === given[index]))
  );
}
