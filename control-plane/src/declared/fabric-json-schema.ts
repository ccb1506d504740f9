import { z } from 'zod';
import { fabricFileSchema } from './fabric-schema.js';

/** A JSON Schema node, as far as looking up keys needs it. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** The published JSON Schema of fabric.yaml: draft 7, which every editor's YAML support reads. */
export function fabricJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fabricFileSchema, { target: 'draft-7', io: 'input' });
  return { ...schema, title: 'fabric.yaml' };
}

let cached: SchemaNode | undefined;

/** Keys that the schema has at a path of the file; none where it has names of the operator's own. */
export function knownKeysAt(path: readonly (string | number)[]): readonly string[] {
  cached ??= fabricJsonSchema() as SchemaNode;
  let nodes = alternatives(cached);
  for (const part of path) nodes = nodes.flatMap((node) => alternatives(step(node, part)));
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function step(node: SchemaNode, part: string | number): SchemaNode | undefined {
  if (typeof part === 'number') return node.items;
  const named = node.properties?.[part];
  if (named) return named;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

function alternatives(node: SchemaNode | undefined): SchemaNode[] {
  if (!node) return [];
  const choice = node.anyOf ?? node.oneOf;
  return choice ? choice.flatMap(alternatives) : [node];
}
