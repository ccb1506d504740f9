import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: ['./src/registry/schema.ts', './src/registry/host-life-schema.ts'],
  out: '../migrations',
});
