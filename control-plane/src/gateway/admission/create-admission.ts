import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Random } from '@ai-fabric/shared';
import type { DeclaredSource } from '../../declared/declared-state.js';
import { answerError, factHeaders, ownFacts } from '../answer-now.js';
import { Deadlines } from '../deadlines.js';
import { ERROR_TABLE } from '../decide/error-table.js';
import { errorFormOf } from '../decide/match-endpoint.js';
import { GATEWAY_LIMITS } from '../gateway-limits.js';
import { linger } from '../linger.js';
import type { RequestContext } from '../request-context.js';
import { type RequestRecorder, refusedRecord } from '../request-record.js';
import { corsHeaders, preflightHeaders } from './cors-headers.js';
import { isTrustedPair } from './decide/address-kind.js';
import { type AdmissionFacts, type AdmissionVerdict, admitRequest } from './decide/admit-request.js';
import { isOwnHost } from './decide/check-host.js';
import { checkOrigin, type PageOrigin } from './decide/check-origin.js';
import { isForwarded } from './decide/is-forwarded.js';
import { canonicalAddress } from './decide/parse-address.js';
import { readApiKey, readBearer } from './decide/read-bearer.js';
import type { KeyLookup } from './key-lookup.js';
import { PresentedBearer } from './presented-bearer.js';
import { createRequestIds } from './request-ids.js';

export interface AdmissionOptions {
  readonly declared: DeclaredSource;
  readonly keys: KeyLookup;
  /** As the machine calls itself. */
  readonly hostName: string;
  /** Canonical addresses of this machine; `createOwnAddresses` reads them. */
  readonly ownAddresses: () => ReadonlySet<string>;
  readonly requestLog: RequestRecorder;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Admission {
  /**
   * Decides before a byte of the body is read.
   *
   * @returns what the gateway is to know of the request; `null` where it is answered already: refused, or a preflight
   */
  admit(request: IncomingMessage, response: ServerResponse): RequestContext | null;
  /** Whether the `Host` that a client asked for is a name or address of this machine. */
  isOwnHost(request: IncomingMessage): boolean;
  /** Which page it comes from; holds only where the host is ours. */
  pageOrigin(request: IncomingMessage): PageOrigin;
}

/** What stays the same for all requests of a connection. */
interface ConnectionFacts {
  readonly isTrustedPair: boolean;
  readonly localAddress: string | null;
  /** As the last request that had one brought it: most clients bring the same with each. */
  lastAuthorization: string | null;
  lastBearer: PresentedBearer | null;
  lastHost: string | null;
  lastHostRevision: number;
  lastHostIsOwn: boolean;
}

export function createAdmission(options: AdmissionOptions): Admission {
  return new RawAdmission(options);
}

class RawAdmission implements Admission {
  readonly #options: AdmissionOptions;
  readonly #connections = new WeakMap<Socket, ConnectionFacts>();
  readonly #deadlines: Deadlines;
  readonly #requestId: ReturnType<typeof createRequestIds>;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, GATEWAY_LIMITS.tickMs);
    this.#requestId = createRequestIds(options.random);
  }

  admit(request: IncomingMessage, response: ServerResponse): RequestContext | null {
    const { headers } = request;
    const requestId = this.#requestId(headers['x-request-id']);
    const verdict = admitRequest(this.#facts(request));
    if (verdict.kind === 'admitted') {
      return { requestId, key: verdict.key, corsHeaders: corsHeaders(verdict.corsOrigin) };
    }
    this.#answer(request, response, requestId, verdict);
    return null;
  }

  isOwnHost(request: IncomingMessage): boolean {
    const host = request.headers.host ?? '';
    const connection = this.#connection(request.socket);
    const { revision, gateway } = this.#options.declared.current();
    if (connection.lastHost === host && connection.lastHostRevision === revision)
      return connection.lastHostIsOwn;
    const names = { hostName: this.#options.hostName, extraHosts: gateway.extraHosts };
    const isOwn =
      isOwnHost(host, names, localOnly(connection.localAddress)) ||
      isOwnHost(host, names, this.#options.ownAddresses());
    connection.lastHost = host;
    connection.lastHostRevision = revision;
    connection.lastHostIsOwn = isOwn;
    return isOwn;
  }

  pageOrigin({ headers }: IncomingMessage): PageOrigin {
    const { host = '', origin } = headers;
    const page = { host, origin, secFetchSite: oneHeader(headers, 'sec-fetch-site') };
    return checkOrigin(page, this.#options.declared.current().gateway.allowedOrigins);
  }

  #facts(request: IncomingMessage): AdmissionFacts {
    const { headers } = request;
    const host = headers.host ?? '';
    const forwarded = isForwarded(headers);
    const method = request.method ?? 'GET';
    const connection = this.#connection(request.socket);
    const bearer = bearerOf(headers, connection);
    const isTrusted = !forwarded && connection.isTrustedPair;
    return {
      method,
      host,
      isOwnHost: this.isOwnHost(request),
      pageOrigin: this.pageOrigin(request),
      origin: headers.origin,
      isPreflight: method === 'OPTIONS' && headers['access-control-request-method'] !== undefined,
      isTrusted,
      isForwarded: forwarded,
      bearer: bearer === null ? 'none' : this.#options.keys.find(bearer, isTrusted),
      anonymous: this.#options.keys.anonymous,
    };
  }

  #connection(socket: Socket): ConnectionFacts {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const { remoteAddress, localAddress } = socket;
    const facts: ConnectionFacts = {
      isTrustedPair: isTrustedPair(remoteAddress, localAddress),
      localAddress: localAddress === undefined ? null : canonicalAddress(localAddress),
      lastAuthorization: null,
      lastBearer: null,
      lastHost: null,
      lastHostRevision: -1,
      lastHostIsOwn: false,
    };
    this.#connections.set(socket, facts);
    return facts;
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    verdict: Exclude<AdmissionVerdict, { kind: 'admitted' }>,
  ): void {
    response.on('error', ignoreWriteError);
    linger(request, this.#deadlines, this.#options.clock, GATEWAY_LIMITS.lingerMs);
    if (verdict.kind === 'preflight') {
      const facts = ownFacts({ requestId, corsHeaders: [] }, 'preflight');
      response.writeHead(204, [
        ...factHeaders(facts),
        ...preflightHeaders(verdict.corsOrigin, request.headers),
      ]);
      response.end();
      return;
    }
    const facts = ownFacts({ requestId, corsHeaders: corsHeaders(verdict.corsOrigin) }, verdict.error.code);
    const challenge = verdict.error.code === 'invalid_api_key' ? ['www-authenticate', 'Bearer'] : [];
    answerError(response, verdict.error, facts, challenge, errorFormOf(request.url ?? '/'));
    const { status } = ERROR_TABLE[verdict.error.code];
    this.#options.requestLog.append(
      refusedRecord(requestId, '', verdict.error.code, status, this.#options.clock.nowMs()),
    );
  }
}

/** The digest of a key takes longer than all else that is looked at: it is made once for a connection. */
function bearerOf(headers: IncomingHttpHeaders, connection: ConnectionFacts): PresentedBearer | null {
  const { authorization } = headers;
  if (authorization !== undefined && authorization === connection.lastAuthorization)
    return connection.lastBearer;
  const token = readBearer(authorization);
  if (authorization === undefined || token === null) {
    const apiKey = readApiKey(headers['x-api-key']);
    return apiKey === null ? null : new PresentedBearer(apiKey);
  }
  connection.lastAuthorization = authorization;
  connection.lastBearer = new PresentedBearer(token);
  return connection.lastBearer;
}

const NO_ADDRESS: ReadonlySet<string> = new Set();

function localOnly(address: string | null): ReadonlySet<string> {
  return address === null ? NO_ADDRESS : new Set([address]);
}

function oneHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A write to a client that has just gone. */
function ignoreWriteError(): void {}
