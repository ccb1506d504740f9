import { formatJoinToken } from '@ai-fabric/shared';
import { z } from '@hono/zod-openapi';
import type { ApiContext } from './api-context.js';
import type { newJoinTokenSchema } from './schemas.js';

const MAX_TTL_SECONDS = 7 * 24 * 3600;
const DEFAULT_TTL_SECONDS = 3600;

export const ttlSecondsSchema = z.int().min(60).max(MAX_TTL_SECONDS).default(DEFAULT_TTL_SECONDS);

/** Makes a join token and what is said of it: the only time that it is shown. */
export async function createJoinToken(
  context: ApiContext,
  wanted: {
    readonly hostName?: string | undefined;
    readonly replacesHostId?: string;
    readonly ttlSeconds: number;
  },
): Promise<z.infer<typeof newJoinTokenSchema>> {
  const { hostName, ...rest } = wanted;
  const created = context.tokens.create({
    ...(hostName === undefined ? {} : { hostName }),
    ...rest,
    nowMs: context.clock.nowMs(),
  });
  const { certificateSha256, installs } = context;
  const token = formatJoinToken({ id: created.id, secret: created.secret, certificateSha256 });
  const serverUrls = [...context.serverUrls()];
  const [server] = serverUrls;
  return {
    token,
    id: created.id,
    hostName: hostName ?? null,
    expiresAtMs: created.expiresAtMs,
    certificateSha256,
    serverUrls,
    install:
      server === undefined ? null : await installs.lines({ server, token, hostName: hostName ?? null }),
  };
}
