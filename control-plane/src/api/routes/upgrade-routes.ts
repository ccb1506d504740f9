import { compareVersions } from '@ai-fabric/shared';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { OfferedRelease } from '../../install/installs.js';
import type { LiveHost } from '../../live/live-view.js';
import type { ApiContext } from '../api-context.js';
import { findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { requireAnswer } from '../require-done.js';
import { upgradeOfferSchema } from '../upgrade-schemas.js';
import { hostParam } from './host-routes.js';

/** The agent only has to note it: what it fetches, it fetches afterwards. */
const OFFER_DEADLINE_MS = 10_000;

/** Upgrades of agents. The control plane relays: whether one comes of it, the host's owner says and its agent proves. */
export function addUpgradeRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/offer-upgrade',
      operationId: 'offerUpgrade',
      tags: ['hosts'],
      summary:
        'Tell the host’s agent of the newer one that lies under /install/; its owner’s settings decide',
      request: { params: hostParam },
      responses: {
        200: {
          description: 'What the agent said; how it goes on is told by the host',
          content: { 'application/json': { schema: upgradeOfferSchema } },
        },
        ...problemResponses(401, 404, 409, 502, 504),
      },
    }),
    async (c) => {
      const host = findJoinedHost(context, c.req.valid('param').host);
      return c.json(await offer(context, host), 200);
    },
  );
}

/** @throws ApiError no_release, not_newer, host_away, host_failed, host_unanswered */
async function offer(context: ApiContext, host: LiveHost): Promise<z.infer<typeof upgradeOfferSchema>> {
  const { name, agentVersion } = host;
  const release = await context.installs.release();
  const { version, manifestSha256 } = requireNewer(host, release);
  const end = await context.hostCalls.offerUpgrade(name, { version, manifestSha256 }, OFFER_DEADLINE_MS);
  if (end === 'too_old') {
    const fix = `install it anew there, which keeps its identity: ai-fabric token create --host ${name}`;
    throw new ApiError('host_failed', `the agent of ${name} is too old to be upgraded from here`, fix);
  }
  const { result: answer, code, detail } = requireAnswer(name, end, OFFER_DEADLINE_MS);
  return { host: name, from: agentVersion, version, answer, code, detail };
}

function requireNewer(
  { name, agentVersion, inventory }: LiveHost,
  release: OfferedRelease | null,
): OfferedRelease {
  if (release === null) {
    const fix = 'put a release there: ai-fabric up --release-dir DIR';
    throw new ApiError('no_release', 'no release lies under /install/ of this control plane', fix);
  }
  const { version, hasAgentFor } = release;
  if (inventory !== null && !hasAgentFor(inventory.os)) {
    throw new ApiError('no_release', `release ${version} holds no agent for ${inventory.os}`);
  }
  const order = agentVersion === null ? null : compareVersions(version, agentVersion);
  if (order !== null && order <= 0) {
    const what = order === 0 ? 'runs that version' : 'is newer';
    throw new ApiError(
      'not_newer',
      `${version} lies here, and the agent of ${name} (${agentVersion}) ${what}`,
    );
  }
  return release;
}
