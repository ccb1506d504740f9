import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { problemResponses } from '../problem-responses.js';
import { backupScheduleSchema } from '../schemas.js';

const MEDIA_TYPE = 'application/vnd.sqlite3';

export function addBackupRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/backups',
      operationId: 'createBackup',
      tags: ['backups'],
      summary: 'Make a backup of the running control plane, check it, and send it',
      request: {
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                /** Certificate, its key and the admin token: what makes agents know a restored control plane. */
                secrets: z.boolean().default(true),
              }),
            },
          },
        },
      },
      responses: {
        200: {
          description: 'The backup; x-backup-sha256 is its digest. It holds secrets in clear.',
          content: { [MEDIA_TYPE]: { schema: z.string().openapi({ format: 'binary' }) } },
        },
        ...problemResponses(400, 401, 409, 507),
      },
    }),
    async (c) => {
      const made = await context.backups.draft(c.req.valid('json').secrets);
      const content = createReadStream(made.file);
      // However it ends: sent, cut off, or never read.
      content.once('close', () => made.discard());
      return new Response(Readable.toWeb(content) as ReadableStream, {
        status: 200,
        headers: {
          'content-type': MEDIA_TYPE,
          'content-length': String(made.sizeBytes),
          'x-backup-sha256': made.sha256,
          'cache-control': 'no-store',
        },
      });
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/backups',
      operationId: 'showBackups',
      tags: ['backups'],
      summary: 'The schedule of backups, how the last ones went, and those that are kept',
      responses: {
        200: { description: 'Backups', content: { 'application/json': { schema: backupScheduleSchema } } },
        ...problemResponses(401),
      },
    }),
    async (c) => c.json(await context.backups.status(), 200),
  );
}
