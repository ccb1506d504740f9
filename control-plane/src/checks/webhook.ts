import { createHmac, randomUUID } from 'node:crypto';
import type { SecretReader } from '../config/secrets.js';
import type { DeclaredWebhook } from '../declared/declared-state.js';
import { askOnce } from '../gateway/upstream/ask-once.js';
import type { CheckParts } from './check-parts.js';
import { nextPostAfterMs } from './decide/plan-post.js';

const POST_TIMEOUT_MS = 10_000;

export type PostResult = { readonly ok: true } | { readonly ok: false; readonly problem: string };

/**
 * Posts `body` as JSON, and tries again a few times where that may help. Each try carries the same
 * `x-fabric-delivery`. What is told of a failure never holds the address: it may be a secret.
 *
 * @param isClosed asked before each further try
 */
export async function postToWebhook(
  { clock, random, secrets }: Pick<CheckParts, 'clock' | 'random' | 'secrets'>,
  webhook: DeclaredWebhook,
  body: unknown,
  isClosed: () => boolean,
): Promise<PostResult> {
  const url =
    typeof webhook.url === 'string' ? { ok: true as const, value: webhook.url } : read(secrets, webhook.url);
  if (!url.ok) return { ok: false, problem: `its address: ${url.problem}` };
  if (!/^https?:\/\//i.test(url.value) || !URL.canParse(url.value)) {
    return { ok: false, problem: 'what its address refers to is no http(s) address' };
  }
  const text = JSON.stringify(body);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'ai-fabric',
    'x-fabric-delivery': randomUUID(),
  };
  if (webhook.secret !== null) {
    const secret = read(secrets, webhook.secret);
    if (!secret.ok) return { ok: false, problem: `its secret: ${secret.problem}` };
    headers['x-fabric-signature'] = `sha256=${createHmac('sha256', secret.value).update(text).digest('hex')}`;
  }
  for (let failed = 1; ; failed += 1) {
    const question = {
      method: 'POST',
      url: url.value,
      headers,
      body: text,
      timeoutMs: POST_TIMEOUT_MS,
    } as const;
    const reply = await askOnce(question, clock);
    const status = reply.kind === 'answered' ? reply.status : null;
    if (status !== null && status >= 200 && status < 300) return { ok: true };
    const waitMs = nextPostAfterMs(failed, status, random());
    const problem = reply.kind === 'answered' ? `it answered ${reply.status}` : reply.failure.code;
    if (waitMs === null || isClosed()) return { ok: false, problem };
    await new Promise<void>((resolve) => clock.after(waitMs, resolve));
  }
}

function read(
  secrets: Pick<SecretReader, 'read'>,
  reference: Parameters<SecretReader['read']>[0],
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string } {
  const result = secrets.read(reference);
  return result.ok ? result : { ok: false, problem: result.detail };
}
