import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Node's archives bring the header files that a native part is compiled against. Naming them spares node-gyp
 * a download, which not every network allows.
 *
 * @param {string} [prefix] the folder that holds `bin/node`
 * @param {string} [version] of the running Node
 * @returns {Record<string, string>} an addition to an installer's environment; empty without this Node's headers
 */
export function nodeHeadersEnvironment(
  prefix = dirname(dirname(process.execPath)),
  version = process.versions.node,
) {
  const file = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const found = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => text.match(`#define NODE_${part}_VERSION (\\d+)`)?.[1],
  );
  return found.join('.') === version ? { npm_config_nodedir: prefix } : {};
}
