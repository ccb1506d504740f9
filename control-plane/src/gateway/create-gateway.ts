import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, SlotList } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { WakeDesk } from '../fleet/wake-desk.js';
import type { LiveView } from '../live/live-view.js';
import type { Router } from '../router/route-types.js';
import type { TunnelLookup } from '../tunnel/tunnel-book.js';
import { KeyLimiter } from './admission/key-limiter.js';
import { answerError, ownFacts } from './answer-now.js';
import { openBodyScan } from './body/open-body-scan.js';
import { Spool } from './body/spool.js';
import { ConnectionEnds } from './connection-ends.js';
import { Deadlines } from './deadlines.js';
import { cappedClass } from './decide/choose-class.js';
import { ERROR_TABLE, gatewayError } from './decide/error-table.js';
import { errorFormOf, KNOWN_ENDPOINTS, matchEndpoint } from './decide/match-endpoint.js';
import { CLASS_HEADER } from './decide/read-wish-headers.js';
import { Exchange } from './exchange.js';
import { FailureLog } from './failure-log.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { CaptureBody, GatewayParts, ProviderKeys } from './gateway-parts.js';
import { HeldBytes } from './held-bytes.js';
import { linger } from './linger.js';
import { answerModel, answerModels } from './list-models.js';
import { SHUTDOWN_HEADERS } from './refusal-headers.js';
import type { RequestContext } from './request-context.js';
import { type RequestRecorder, refusedRecord } from './request-record.js';
import { ResponseHolders } from './response-holders.js';
import { TurnShare } from './turn-share.js';
import { TargetAddresses } from './upstream/target-address.js';
import { UpstreamPools } from './upstream/upstream-pools.js';
import { NOBODY_WAKES } from './wake-wait.js';

export interface GatewayOptions {
  readonly router: Router;
  readonly secrets: ProviderKeys;
  readonly tunnels: TunnelLookup;
  /** Left out, nobody is woken. */
  readonly wakes?: WakeDesk;
  readonly live: Pick<LiveView, 'host' | 'replica'>;
  readonly metrics: GatewayMetrics;
  readonly requestLog: RequestRecorder;
  readonly captureBody: CaptureBody;
  readonly config: {
    readonly maxBodyBytes: number;
    readonly maxMultipartBytes: number;
    readonly bodyTimeoutSeconds: number;
  };
  /** For large bodies alone: whatever is found there is removed. */
  readonly spoolDirectory: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Gateway {
  /** Answers a request that admission let in. Never throws; answers on every path. */
  handle(request: IncomingMessage, response: ServerResponse, context: RequestContext): void;
  /** A key was revoked: what it has under way ends, a stream with an error event. */
  endRequestsOf(keyId: string): void;
  /**
   * Takes no more requests, lets those under way finish for `graceMs`, then ends streams with an error event.
   * Resolves when all are over and every upstream connection is closed.
   */
  close(graceMs: number): Promise<void>;
  readonly openRequests: number;
  /** What of large request bodies is on the disk now, and ever was. */
  readonly spool: Pick<Spool, 'bytes' | 'files' | 'totalBytes'>;
}

/** How long a client may take to read the last bytes after the grace is over. */
const FLUSH_MS = 1_000;
const NOTHING_STORED =
  'Responses are not kept here: once it was answered, a response can be neither read, listed, cancelled nor deleted by its id.';

/** The `/v1` endpoints: who asks was decided by admission, where it goes is the router's to say. */
export function createGateway(options: GatewayOptions): Gateway {
  const { clock } = options;
  const deadlines = new Deadlines(clock, GATEWAY_LIMITS.tickMs);
  const bodyLimits = {
    maxBodyBytes: options.config.maxBodyBytes,
    bodyTimeoutMs: options.config.bodyTimeoutSeconds * 1000,
    isForm: false,
  };
  const parts: GatewayParts = {
    router: options.router,
    secrets: options.secrets,
    keyLimiter: new KeyLimiter(clock),
    clock,
    deadlines,
    connectionEnds: new ConnectionEnds(),
    pools: new UpstreamPools(clock, deadlines),
    tunnels: options.tunnels,
    wakes: options.wakes ?? NOBODY_WAKES,
    live: options.live,
    addresses: new TargetAddresses(),
    metrics: options.metrics,
    requestLog: options.requestLog,
    captureBody: options.captureBody,
    failureLog: new FailureLog(options.log, clock),
    heldBytes: new HeldBytes(GATEWAY_LIMITS.heldBodyBytes),
    turnShare: new TurnShare(clock, GATEWAY_LIMITS.turnShareMs),
    responseHolders: new ResponseHolders(GATEWAY_LIMITS.rememberedResponses),
    bodyLimits,
    formLimits: { ...bodyLimits, maxBodyBytes: options.config.maxMultipartBytes, isForm: true },
    largeBodies: {
      spool: new Spool({ directory: options.spoolDirectory, clock, log: options.log }),
      openScan: openBodyScan,
    },
  };
  return new RawGateway(parts, Math.floor(clock.nowMs() / 1000));
}

class RawGateway implements Gateway {
  readonly #parts: GatewayParts;
  readonly #createdSeconds: number;
  readonly #open = new SlotList<'openSlot', Exchange>('openSlot');
  #isClosing = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: GatewayParts, createdSeconds: number) {
    this.#parts = parts;
    this.#createdSeconds = createdSeconds;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  get spool(): Spool {
    return this.#parts.largeBodies.spool;
  }

  handle(request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    response.on('error', ignoreWriteError);
    if (this.#isClosing) {
      const error = gatewayError(
        'shutting_down',
        'The gateway is shutting down; come again in a few seconds.',
      );
      this.#refuse(request, response, context, error, SHUTDOWN_HEADERS);
      return;
    }
    const method = request.method ?? 'GET';
    const endpoint = matchEndpoint(method, request.url ?? '/');
    switch (endpoint.kind) {
      case 'engine': {
        const capped = cappedClass(request.headers, context.key.classes);
        // Every answer has it, whoever writes its head.
        if (capped !== null) response.setHeader(CLASS_HEADER, capped);
        const exchange = new Exchange(request, response, context, endpoint, this.#parts, this.#onOver);
        this.#open.add(exchange);
        exchange.start();
        return;
      }
      case 'models':
        answerModels(response, context, this.#parts.router, this.#createdSeconds);
        return;
      case 'model':
        answerModel(response, context, this.#parts.router, endpoint.id, this.#createdSeconds);
        return;
      case 'methodNotAllowed': {
        const message = `${method} is not allowed here; use ${endpoint.allow}.`;
        this.#refuse(request, response, context, gatewayError('method_not_allowed', message), [
          'allow',
          endpoint.allow,
        ]);
        return;
      }
      case 'storedResponse':
        this.#refuse(request, response, context, gatewayError('response_not_found', NOTHING_STORED), []);
        return;
      case 'unknown': {
        const error = gatewayError(
          'unknown_path',
          `There is no such path here. There is ${KNOWN_ENDPOINTS}.`,
        );
        this.#refuse(request, response, context, error, []);
        return;
      }
      default:
        endpoint satisfies never;
    }
  }

  endRequestsOf(keyId: string): void {
    this.#open.forEach((exchange) => {
      if (exchange.keyId === keyId) exchange.keyRevoked();
    });
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    // What is held is not under way: it would only wait out the grace.
    this.#open.forEach((exchange) => {
      exchange.endConnection();
      if (exchange.isHeld) exchange.shutDown();
    });
    if (!(await this.#emptied(graceMs))) {
      this.#open.forEach((exchange) => {
        exchange.shutDown();
      });
      if (!(await this.#emptied(FLUSH_MS))) {
        this.#open.forEach((exchange) => {
          exchange.response.destroy();
        });
      }
    }
    await this.#parts.pools.close();
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
    error: ReturnType<typeof gatewayError>,
    headers: readonly string[],
  ): void {
    const { clock, deadlines, requestLog } = this.#parts;
    linger(request, deadlines, clock, GATEWAY_LIMITS.lingerMs);
    const form = errorFormOf(request.url ?? '/');
    answerError(response, error, ownFacts(context, error.code), headers, form);
    const { status } = ERROR_TABLE[error.code];
    requestLog.append(refusedRecord(context.requestId, context.key.name, error.code, status, clock.nowMs()));
  }

  /** @returns whether every exchange was over within the time */
  #emptied(withinMs: number): Promise<boolean> {
    if (this.#open.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(withinMs, () => {
        this.#onEmpty = null;
        resolve(false);
      });
      this.#onEmpty = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }

  readonly #onOver = (exchange: Exchange): void => {
    this.#open.remove(exchange);
    if (this.#open.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = null;
  };
}

/** A write to a client that has just gone: its `close` event follows, and is what counts. */
function ignoreWriteError(): void {}
