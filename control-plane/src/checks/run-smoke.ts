import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { CHECK_HEADER } from '../gateway/decide/is-check.js';
import { askOnce, type Reply } from '../gateway/upstream/ask-once.js';
import type { CheckParts } from './check-parts.js';
import { judgeSmoke } from './decide/judge-smoke.js';
import { planSmoke, smokeBody } from './decide/plan-smoke.js';
import { readVerdicts } from './decide/read-verdicts.js';
import { inTurn } from './in-turn.js';
import { readAdminToken } from './read-admin-token.js';
import type { SmokeAnswer, SmokeRequest, SmokeResult } from './smoke-result.js';

/** A smoke test is no load test: two requests at once pass over each other's card at the most. */
const AT_ONCE = 2;
const REQUEST_TIMEOUT_MS = 60_000;
const BUSY_RETRIES = 4;
const BUSY_PAUSE_MS = 500;
/** A wake that takes longer has failed by what is declared of a host, where nothing else is. */
const WAKE_MS = 300_000;
const WAKE_PAUSE_MS = 5_000;

export interface SmokeOptions {
  /** Whether a provider may be asked, which spends. */
  readonly cloud: boolean;
  /** Whether hosts that sleep are woken, and waited for. */
  readonly wake: boolean;
}

/** A real request through every role and alias, by the gateway's own address, as a client sends it. */
export function runSmoke(parts: CheckParts, options: SmokeOptions): Promise<SmokeResult[]> {
  const hosts = [...parts.live.hosts()];
  const revoked = new Set(hosts.flatMap(({ name, revokedAtMs }) => (revokedAtMs === null ? [] : [name])));
  const requests = planSmoke(parts.declared.current(), revoked);
  return inTurn(requests, AT_ONCE, async (request) =>
    judgeSmoke(request, await askInTurn(parts, request, options), options.wake),
  );
}

/** A check waits in no queue of the gateway. One that has just come up takes one request at a time: it is asked again. */
async function askInTurn(
  parts: CheckParts,
  request: SmokeRequest,
  options: SmokeOptions,
): Promise<SmokeAnswer> {
  const wakenByMs = parts.clock.monotonicMs() + WAKE_MS;
  for (let left = BUSY_RETRIES; ; ) {
    const answer = await ask(parts, request, options);
    const isToCome = options.wake && isWaking(answer) && parts.clock.monotonicMs() < wakenByMs;
    if (!isToCome && (left === 0 || !isBusy(answer))) return answer;
    if (!isToCome) left -= 1;
    await new Promise<void>((resolve) => {
      parts.clock.after(isToCome ? WAKE_PAUSE_MS : BUSY_PAUSE_MS, resolve);
    });
  }
}

function isWaking(answer: SmokeAnswer): boolean {
  return answer.kind === 'answered' && answer.status === 503 && answer.reason.startsWith('waking');
}

function isBusy(answer: SmokeAnswer): boolean {
  if (answer.kind !== 'answered' || answer.status === 200) return false;
  return [...readVerdicts(answer.reason).values()].includes('full');
}

async function ask(
  parts: CheckParts,
  request: SmokeRequest,
  { cloud, wake }: SmokeOptions,
): Promise<SmokeAnswer> {
  const url = parts.gatewayUrl();
  if (url === null) return { kind: 'failed', detail: 'the gateway has no address yet', tookMs: 0 };
  const token = readAdminToken(dataDirectoryLayout(parts.dataDirectory).adminTokenFile);
  const { path, body } = smokeBody(request);
  const reply = await askOnce(
    {
      method: 'POST',
      url: `${url}${path}`,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'ai-fabric smoke',
        [CHECK_HEADER]: wake ? 'wake' : 'true',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(cloud ? {} : { 'x-fabric-local-only': 'true' }),
      },
      body: JSON.stringify(body),
      timeoutMs: REQUEST_TIMEOUT_MS,
    },
    parts.clock,
  );
  return toAnswer(reply);
}

function toAnswer(reply: Reply): SmokeAnswer {
  const { tookMs } = reply;
  if (reply.kind === 'failed') return { kind: 'failed', detail: reply.failure.detail, tookMs };
  const header = (name: string) => String(reply.headers[name] ?? '');
  return {
    kind: 'answered',
    status: reply.status,
    tookMs,
    host: header('x-fabric-host'),
    replica: header('x-fabric-replica'),
    reason: header('x-fabric-reason'),
    body: reply.body,
  };
}
