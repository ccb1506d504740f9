import { writeFileSync } from 'node:fs';
import { fabricJsonSchema } from './fabric-json-schema.js';

/** Run after `fabric-schema.ts` changed: `npm run schema` in control-plane. A test compares the committed file. */
const target = new URL('../../../docs/schema/fabric.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(fabricJsonSchema(), null, 2)}\n`);
