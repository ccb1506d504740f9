import type {
  EnrolRequest,
  EnrolResult,
  HostStore,
  Observation,
  RefusedKey,
  StoredHost,
} from '../../registry/registry-types.js';

type Store = Pick<HostStore, 'enrol' | 'findByPublicKey' | 'findRefusedKey'>;

/** The registry's hosts and tokens in memory, with the registry's answers. */
export class FakeHostStore implements Store {
  readonly hosts: StoredHost[] = [];
  /** Id → secret and what became of it. */
  readonly tokens = new Map<
    string,
    { secret: string; used: boolean; expiresAtMs: number; replaces: boolean }
  >();
  readonly refused = new Map<string, RefusedKey>();
  readonly observations: Observation[] = [];
  /** Thrown by every call while set. */
  failure: Error | null = null;

  addHost(more: Partial<StoredHost> & { publicKey: string }): StoredHost {
    const host: StoredHost = {
      hostId: `h${this.hosts.length + 1}`,
      name: 'motoko',
      machineSha256: 'ab'.repeat(32),
      enrolledAtMs: 0,
      draining: false,
      revokedAtMs: null,
      lastSeenMs: null,
      lastGoodbyeReason: null,
      agentVersion: null,
      clockSkewMs: null,
      inventory: null,
      lastIssues: [],
      lastReplicas: [],
      ...more,
    };
    this.hosts.push(host);
    return host;
  }

  /** @param replaces made to give its host another key */
  addToken(id: string, secret: string, expiresAtMs = Number.POSITIVE_INFINITY, replaces = false): void {
    this.tokens.set(id, { secret, used: false, expiresAtMs, replaces });
  }

  enqueue(observation: Observation): void {
    this.observations.push(observation);
  }

  findByPublicKey(publicKey: string): StoredHost | undefined {
    if (this.failure) throw this.failure;
    return this.hosts.find((host) => host.publicKey === publicKey);
  }

  findRefusedKey(publicKey: string): RefusedKey | undefined {
    return this.refused.get(publicKey);
  }

  enrol(request: EnrolRequest): EnrolResult {
    if (this.failure) throw this.failure;
    const token = this.tokens.get(request.tokenId);
    if (token?.secret !== request.tokenSecret)
      return { ok: false, reason: 'token_unknown', detail: 'unknown' };
    if (token.used) return { ok: false, reason: 'token_used', detail: 'used' };
    if (token.expiresAtMs <= request.nowMs) return { ok: false, reason: 'token_expired', detail: 'expired' };
    const named = this.hosts.find((host) => host.name === request.hostName);
    if (named && named.machineSha256 !== request.machineSha256) {
      return { ok: false, reason: 'name_taken', detail: 'taken' };
    }
    const isAnotherKey = named !== undefined && named.publicKey !== request.publicKey;
    if (isAnotherKey && request.nameIsLinked && !token.replaces) return { ok: 'ask_first', host: named };
    token.used = true;
    if (named) this.hosts.splice(this.hosts.indexOf(named), 1);
    const { publicKey, machineSha256, hostName } = request;
    const host = this.addHost({ publicKey, machineSha256, name: hostName });
    return { ok: true, host, keyReplaced: isAnotherKey };
  }
}
