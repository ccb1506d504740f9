import { writeFileSync } from 'node:fs';
import { agentPolicySchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { fabricJsonSchema } from './fabric-json-schema.js';

/** Run after `fabric-schema.ts` or `agent-policy.ts` changed: `npm run schema` in control-plane. Tests compare the committed files. */
const schemas = {
  fabric: fabricJsonSchema(),
  agent: { ...z.toJSONSchema(agentPolicySchema, { target: 'draft-7', io: 'input' }), title: 'agent.yaml' },
};
for (const [name, schema] of Object.entries(schemas)) {
  const target = new URL(`../../../docs/schema/${name}.schema.json`, import.meta.url);
  writeFileSync(target, `${JSON.stringify(schema, null, 2)}\n`);
}
