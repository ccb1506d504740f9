import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: ['./src/registry/schema.ts', './src/registry/keys-schema.ts'],
  out: '../migrations',
});
