import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: ['./src/registry/schema.ts', './src/registry/requests-schema.ts'],
  out: '../migrations',
});
