import { z } from 'zod';
import { declaredSchema } from '../api/declared-schemas.js';
import { keySchema } from '../api/key-schemas.js';
import { hostSchema } from '../api/schemas.js';
import { nearestNames } from '../declared/decide/nearest-names.js';
import type { ApiClient } from './api-client.js';

interface Names {
  readonly role?: string;
  readonly key?: string;
  readonly host?: string;
}

/** Of a listing that is empty: filters whose names are none now. What was there once may still be asked for. */
export async function noteUnknownNames(client: ApiClient, { role, key, host }: Names): Promise<void> {
  if (key !== undefined) {
    const keys = (await client.list('/keys', keySchema)).map(({ name }) => name);
    note('key', key, [...keys, 'anonymous', 'admin']);
  }
  if (role === undefined && host === undefined) return;
  const { document } = await client.get('/declared', declaredSchema);
  const { aliases, ...declared } = declaredNames.parse(document);
  const providers = Object.entries(declared.providers);
  if (role !== undefined) {
    const target = aliases[role];
    const models = providers.flatMap(([name, { models: of }]) =>
      Object.keys(of).map((each) => `${name}/${each}`),
    );
    if (target !== undefined) console.error(`note: ${role} is an alias; its requests are those of ${target}`);
    else
      note('role', role, [...Object.keys(declared.roles), ...Object.keys(declared.deployments), ...models]);
  }
  if (host !== undefined) {
    const hosts = (await client.list('/hosts', hostSchema)).map(({ name }) => name);
    note('host', host, [...hosts, ...providers.map(([name]) => name)]);
  }
}

/** Says so where a name is none of those that there are now. */
export function note(kind: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const [nearest] = nearestNames(name, known);
  console.error(
    `note: there is no ${kind} ${name} now${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  );
}

const named = z.record(z.string(), z.unknown()).default({});
const declaredNames = z.object({
  roles: named,
  deployments: named,
  aliases: z.record(z.string(), z.string()).default({}),
  providers: z.record(z.string(), z.object({ models: named })).default({}),
});
