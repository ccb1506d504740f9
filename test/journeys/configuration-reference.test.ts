import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configurationReference } from '../harness/configuration-reference.js';

const FILE = fileURLToPath(new URL('../../docs/CONFIGURATION.md', import.meta.url));

/** `npx vitest run --project journeys test/journeys/configuration-reference.test.ts -u` writes it anew. */
test('the configuration reference is what the programs and the schema say', { timeout: 60_000 }, async () => {
  await expect(await configurationReference()).toMatchFileSnapshot(FILE);
});
