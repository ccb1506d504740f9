/** A JSON Schema node, as far as looking up keys needs it. */
export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** Keys that a schema has at a path of its values; none where it has names of the operator's own. */
export function keysOfSchema(schema: SchemaNode, path: readonly (string | number)[]): readonly string[] {
  let nodes = alternatives(schema);
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
