import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly summary: string | undefined;
  readonly tags: readonly string[];
  readonly takesBody: boolean;
  readonly needsToken: boolean;
  readonly takesIdempotencyKey: boolean;
  readonly speaksWebSocket: boolean;
}

interface RawOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: unknown;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly $ref?: string }[];
  readonly responses: Readonly<Record<string, RawResponse>>;
}
interface RawResponse {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, unknown>>;
}
interface RawDocument {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, RawResponse>> };
}

/** The control API as its own document describes it, and what is wrong with an answer by it. */
export class DocumentedApi {
  readonly document: RawDocument;
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: unknown) {
    this.document = document as RawDocument;
    this.operations = Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => toOperation(path, method, operation)),
    );
    this.#ajv.addSchema(closeObjects(document) as object, 'document');
  }

  operation(operationId: string): Operation {
    const found = this.operations.find((each) => each.operationId === operationId);
    if (found === undefined) throw new Error(`the document has no operation "${operationId}"`);
    return found;
  }

  /** @returns what differs from the document; nothing for an answer as described */
  complaints(operation: Operation, status: number, contentType: string | null, body: unknown): string[] {
    const { method, path } = operation;
    const raw = this.document.paths[path]?.[method.toLowerCase()];
    const key = raw?.responses[status] === undefined ? 'default' : String(status);
    const described = raw?.responses[key];
    if (described === undefined) return [`status ${status} is not documented`];
    const name = described.$ref?.split('/').at(-1);
    const response = name === undefined ? described : this.document.components.responses[name];
    const mediaTypes = Object.keys(response?.content ?? {});
    if (mediaTypes.length === 0)
      return body === null ? [] : [`status ${status} brings a body that is not documented`];
    const type = contentType?.split(';')[0] ?? '';
    if (!mediaTypes.includes(type))
      return [`${type || 'no content type'} is not one of ${mediaTypes.join(', ')}`];
    const place =
      name === undefined
        ? ['paths', path, method.toLowerCase(), 'responses', key]
        : ['components', 'responses', name];
    return this.#check([...place, 'content', type, 'schema'], body);
  }

  /** @param name of a schema among the document's components */
  complaintsAbout(name: string, value: unknown): string[] {
    return this.#check(['components', 'schemas', name], value);
  }

  #check(place: readonly string[], value: unknown): string[] {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const ref = `document#/${pointer.join('/')}`;
    const validate = this.#validators.get(ref) ?? this.#ajv.compile({ $ref: ref });
    this.#validators.set(ref, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath || '/'}: ${message} ${JSON.stringify(params)}`,
    );
  }
}

function toOperation(path: string, method: string, raw: RawOperation): Operation {
  return {
    operationId: raw.operationId ?? '',
    method: method.toUpperCase(),
    path,
    summary: raw.summary,
    tags: raw.tags ?? [],
    takesBody: raw.requestBody !== undefined,
    needsToken: raw.security === undefined,
    speaksWebSocket: raw.responses['101'] !== undefined,
    takesIdempotencyKey: (raw.parameters ?? []).some(
      ({ $ref }) => $ref?.endsWith('/IdempotencyKey') ?? false,
    ),
  };
}

/** So that a member that nobody described shows: a program that reads the document would not know of it. */
function closeObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeObjects);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closeObjects(each)]));
  const isOpenObject = copy['type'] === 'object' && copy['properties'] !== undefined;
  return isOpenObject && copy['additionalProperties'] === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
