import { z } from 'zod';
import { keysOfSchema, type SchemaNode } from './decide/keys-of-schema.js';
import { fabricFileSchema } from './fabric-schema.js';

/** The published JSON Schema of fabric.yaml: draft 7, which every editor's YAML support reads. */
export function fabricJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fabricFileSchema, { target: 'draft-7', io: 'input' });
  return { ...schema, title: 'fabric.yaml' };
}

let cached: SchemaNode | undefined;

/** Keys that the schema has at a path of the file; none where it has names of the operator's own. */
export function knownKeysAt(path: readonly (string | number)[]): readonly string[] {
  cached ??= fabricJsonSchema() as SchemaNode;
  return keysOfSchema(cached, path);
}
