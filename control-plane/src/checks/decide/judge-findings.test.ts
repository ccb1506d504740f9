import { describeReplica } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import type { BackupStatus } from '../../backup/backup-schedule.js';
import type { SecretProblem } from '../../config/secret-result.js';
import type { DeclaredProvider, SecretReference } from '../../declared/declared-state.js';
import { UNKNOWN_POWER } from '../../live/host-power.js';
import type { LiveHost } from '../../live/live-view.js';
import type { AskFact } from '../check-facts.js';
import type { Finding } from '../finding.js';
import { judgeBackup } from './judge-backup.js';
import { judgeClock } from './judge-clock.js';
import { judgeCertificate, judgeDisk, judgeGateway, judgeIntegrity } from './judge-control-plane.js';
import { judgeDeployment } from './judge-deployment.js';
import { judgeHost } from './judge-host.js';
import { judgeProvider, type ProviderFacts } from './judge-provider.js';
import { judgeStoppedControlPlane } from './judge-stopped-control-plane.js';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const GIB = 1024 ** 3;

const told = (...findings: readonly Finding[]) => findings.map(({ severity, code }) => `${severity} ${code}`);

const answer = (status: number, modelIds: readonly string[] | null = ['m'], tookMs = 20): AskFact => ({
  kind: 'answered',
  status,
  tookMs,
  modelIds,
  clockSkewMs: 0,
});
const failed: AskFact = { kind: 'failed', code: 'connect_refused', detail: 'refused', tookMs: 3 };

describe('the control plane', () => {
  it.each<[string, string | null, AskFact | null, string]>([
    ['answers', 'http://a', answer(200), 'ok gateway'],
    ['is slow', 'http://a', answer(200, [], 1_900), 'warning gateway_slow'],
    ['refuses', 'http://a', answer(503), 'error gateway_refuses'],
    ['does not answer', 'http://a', failed, 'error gateway_unreachable'],
    ['has no address', null, null, 'error gateway_without_address'],
  ])('whose gateway %s', (_, url, ask, expected) => {
    expect(told(judgeGateway(url, ask))).toEqual([expected]);
  });

  it.each<[string, object, string[]]>([
    ['is good', {}, ['ok certificate']],
    ['has expired', { expiresAtMs: NOW - DAY }, ['error certificate_expired']],
    ['expires next week', { expiresAtMs: NOW + 7 * DAY }, ['warning certificate_expires_soon']],
    ['was replaced on the disk', { onDiskSha256: 'bb' }, ['warning certificate_replaced']],
    ['is gone from the disk', { onDiskSha256: null }, ['ok certificate']],
    ['does not name the host', { names: ['localhost'] }, ['info certificate_name_missing']],
  ])('whose certificate %s', (_, more, expected) => {
    const fact = {
      directory: '/data/tls',
      expiresAtMs: NOW + 900 * DAY,
      names: ['localhost', 'motoko'],
      hostName: 'Motoko',
      certificateSha256: 'aa',
      onDiskSha256: 'aa',
      ...more,
    };
    expect(told(...judgeCertificate(fact, NOW))).toEqual(expected);
  });

  it.each([
    [100 * GIB, 'ok disk'],
    [1 * GIB, 'warning disk_low'],
    [0.1 * GIB, 'error disk_full'],
  ])('with %d bytes free', (freeBytes, expected) => {
    const fact = { directory: '/data', freeBytes, totalBytes: 500 * GIB, registryBytes: 1 };
    expect(told(judgeDisk(fact))).toEqual([expected]);
  });

  it.each([
    [{ kind: 'sound', tookMs: 1 } as const, 'ok registry'],
    [{ kind: 'damaged', detail: 'page 3' } as const, 'error registry_damaged'],
    [{ kind: 'unreadable', detail: 'EACCES' } as const, 'error registry_unreadable'],
    [{ kind: 'slow', afterMs: 8_000 } as const, 'info registry_not_checked'],
  ])('whose registry is $kind', (fact, expected) => {
    expect(told(judgeIntegrity(fact, 'registry.sqlite'))).toEqual([expected]);
  });

  it.each<[string, number[], number[], string]>([
    ['nobody to compare with', [], [], 'info clock_not_compared'],
    ['everybody agrees', [900], [-200, 100], 'ok clock'],
    ['a provider and the agents say that it is off', [61_000], [62_000], 'warning clock_off'],
    ['one agent alone is off', [], [3_600_000], 'ok clock'],
    ['two agents agree that it is off', [], [-3_600_000, -3_601_000], 'warning clock_off'],
    ['two agents are off in different ways', [], [-3_600_000, 3_600_000], 'ok clock'],
    ['one provider says that it is off', [-90_000], [], 'warning clock_off'],
    ['one agent of three is off', [], [0, 3_600_000, 10], 'ok clock'],
  ])('whose clock has %s', (_, providers, agents, expected) => {
    expect(told(judgeClock({ providers, agents }))).toEqual([expected]);
  });

  it.each([
    [{ kind: 'running', pid: 7 } as const, NOW, 'control_plane_hangs'],
    [{ kind: 'gone', pid: 7 } as const, NOW, 'control_plane_died'],
    [{ kind: 'none' } as const, NOW, 'control_plane_stopped'],
    [{ kind: 'none' } as const, null, 'no_data_directory'],
  ])('that does not answer, whose process is $kind', (process, registryWrittenAtMs, code) => {
    const facts = { directory: '/data', exists: true, process, registryWrittenAtMs };
    const verdict = judgeStoppedControlPlane(facts, NOW);
    expect(told(verdict)).toEqual([`error ${code}`]);
    expect(verdict.fix).not.toBeNull();
  });
});

describe('scheduled backups', () => {
  const schedule = { directory: '/nas', schedule: { everyHours: 24 }, keep: 2, secrets: true };
  const failure = { atMs: NOW, detail: '/nas: is not there', fix: 'mount it' };

  it.each<[string, Partial<BackupStatus>, string[]]>([
    ['are not declared', { schedule: null }, []],
    ['are due', {}, ['ok backup']],
    ['fail', { lastFailure: failure }, ['error backup_failing']],
  ])('that %s', (_, more, expected) => {
    const status = { schedule, nextAtMs: NOW, lastSuccess: null, lastFailure: null, ...more };
    expect(told(...judgeBackup(status))).toEqual(expected);
  });
});

describe('a provider', () => {
  const provider: DeclaredProvider = {
    name: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    apiKey: { env: 'KEY' },
    endpoints: ['chat'],
    models: new Map([
      [
        'strong',
        { name: 'strong', model: 'm', task: 'chat', capabilities: null, contextTokens: null, price: null },
      ],
    ]),
  };

  const notSet = { code: 'env_missing', detail: 'KEY is not set; set it' } as const;
  const exposed = { code: 'file_readable_by_others', detail: '/k can be read by all; chmod' } as const;

  it.each<[string, AskFact | null, ProviderFacts['keyProblem'], string[], string]>([
    ['takes its key', answer(200), null, [], 'ok provider'],
    ['has no key', null, notSet, [], 'warning provider_key_missing'],
    ['has no key, and a role that nothing else serves', null, notSet, ['deep'], 'error provider_key_missing'],
    ['has a key that all may read', null, exposed, [], 'warning provider_key_exposed'],
    ['refuses its key', answer(401, null), null, [], 'error provider_key_refused'],
    ['forbids its key', answer(403, null), null, [], 'error provider_key_refused'],
    ['cannot be reached', failed, null, [], 'warning provider_unreachable'],
    ['cannot be reached, and is needed', failed, null, ['deep'], 'error provider_unreachable'],
    ['limits its rate', answer(429, null), null, [], 'warning provider_limited'],
    ['fails', answer(500, null), null, [], 'warning provider_failing'],
    ['has no listing', answer(404, null), null, [], 'info provider_lists_nothing'],
    ['answers a web page', answer(200, null), null, [], 'info provider_lists_nothing'],
    ['does not know the model', answer(200, ['other']), null, [], 'warning provider_model_unlisted'],
  ])('that %s', (_, ask, keyProblem, aloneIn, expected) => {
    expect(told(...judgeProvider({ provider, keyProblem, keyFailing: null, ask, aloneIn }))).toEqual([
      expected,
    ]);
  });

  it.each<[SecretProblem, SecretReference, string]>([
    ['env_missing', { env: 'KEY' }, 'set KEY where the control plane is started, and restart it'],
    ['file_missing', { file: '/k' }, 'put the key into /k'],
    ['file_readable_by_others', { file: '/k' }, 'chmod 600 /k'],
    [
      'credentials_missing',
      { credential: 'openai' },
      'set LoadCredential=openai:FILE in the unit that starts the control plane, and restart it',
    ],
    [
      'vault_secret_missing',
      { azureKeyVault: { vault: 'https://v', secret: 'openai' } },
      'put the key into the secret openai of https://v',
    ],
  ])('whose key is not there (%s) is told what mends just that', (code, apiKey, fix) => {
    const facts = { ask: null, aloneIn: [], provider: { ...provider, apiKey } };
    const problem = { code, detail: 'it is so; mend it' };
    const [missing] = judgeProvider({ ...facts, keyProblem: problem, keyFailing: null });
    expect(missing).toMatchObject({ what: 'no API key: it is so', fix });
    const [unread] = judgeProvider({ ...facts, keyProblem: null, keyFailing: code });
    expect(unread).toMatchObject({ code: 'provider_key_unread', fix });
  });

  it('whose key has gone from its place, and is used as it last was', () => {
    const facts = {
      provider,
      keyProblem: null,
      keyFailing: 'file_missing',
      ask: answer(200),
      aloneIn: [],
    } as const;
    expect(told(...judgeProvider(facts))).toEqual(['warning provider_key_unread', 'ok provider']);
  });
});

const host = (more: Partial<LiveHost> = {}): LiveHost => ({
  ...{ owner: null, ownerSinceMs: null, power: UNKNOWN_POWER, upgrade: null },
  ...{ agentCommit: null, agentPackaged: null, protocolVersion: null },
  name: 'armitage',
  hostId: 'h',
  presence: 'online',
  presenceSinceMs: NOW - 5_000,
  goodbyeReason: null,
  lastSeenMs: NOW,
  agentVersion: '0.1.0',
  revokedAtMs: null,
  peerAddress: null,
  clockSkewMs: 0,
  draining: false,
  inventory: null,
  sample: null,
  issues: [],
  orphans: [],
  droppedSamples: 0,
  tunnelUp: false,
  ...more,
});

describe('a host', () => {
  const issue = {
    code: 'gpu_lost',
    subject: 'GPU-1',
    severity: 'error',
    detail: 'lost',
    fix: 'reboot',
    sinceMs: NOW,
  } as const;

  it.each<[string, Partial<LiveHost>, boolean | null, string[]]>([
    ['is online', {}, false, ['ok host']],
    ['is late', { presence: 'late' }, true, ['warning host_late']],
    ['is away, as declared', { presence: 'away' }, true, ['ok host_away']],
    ['is away and should not be', { presence: 'away' }, false, ['error host_away']],
    ['never joined', { presence: 'unseen' }, false, ['warning host_never_joined']],
    ['never joined and may be away', { presence: 'unseen' }, true, ['info host_never_joined']],
    ['is not declared', {}, null, ['ok host', 'info host_not_declared']],
    ['drains', { draining: true }, false, ['ok host', 'info host_draining']],
    ['has an issue', { issues: [issue] }, false, ['ok host', 'error gpu_lost']],
    ['is revoked', { presence: 'away', revokedAtMs: NOW }, false, ['error host_revoked']],
    ['is revoked, and may be away', { presence: 'away', revokedAtMs: NOW }, true, ['warning host_revoked']],
    [
      'is revoked, and not declared',
      { presence: 'away', revokedAtMs: NOW },
      null,
      ['info host_revoked', 'info host_not_declared'],
    ],
    ['is away with an old issue', { presence: 'away', issues: [issue] }, true, ['ok host_away']],
    ['has an issue of a deployment', { issues: [{ ...issue, subject: 'qwen' }] }, false, ['ok host']],
  ])('that %s', (_, more, mayBeAway, expected) => {
    const facts = { host: host(more), mayBeAway, roundTripMs: 1, deployments: new Set(['qwen']) };
    expect(told(...judgeHost(facts, NOW))).toEqual(expected);
  });
});

describe('a deployment', () => {
  const deployment = {
    ...({ name: 'qwen', host: 'armitage', task: 'chat', engine: 'external' } as const),
    url: 'http://armitage:8000',
    ...{ servedModel: 'm', maxConcurrent: 4, contextTokens: null, capabilities: null, listed: true },
  } as const;
  const replica = (phase: 'ready' | 'loading' | 'failed', code: string | null = null) => ({
    deployment: 'qwen',
    host: 'armitage',
    status: describeReplica({ deployment: 'qwen', phase, code, engineVersion: '0.32' }),
    phaseSinceMs: 0,
    reading: null,
    readingAtMs: null,
  });
  const issue = {
    code: 'engine_unreachable',
    subject: 'qwen',
    severity: 'error',
    detail: 'x',
    fix: null,
    sinceMs: NOW,
  } as const;

  it.each<[string, object, string[]]>([
    ['is ready and answers', {}, ['ok replica']],
    ['is on an away host', { host: host({ presence: 'away' }) }, []],
    ['is on a host that never was', { host: null }, []],
    ['was never told of', { replica: null }, ['warning replica_unseen']],
    ['loads', { replica: replica('loading') }, ['warning replica_not_ready']],
    ['failed', { replica: replica('failed', 'engine_proof_failed') }, ['error engine_proof_failed']],
    [
      'failed, as an issue says already',
      { replica: replica('failed'), host: host({ issues: [issue] }), ask: failed },
      ['error engine_unreachable', 'error engine_unreachable_from_here'],
    ],
    ['is ready and cannot be reached from here', { ask: failed }, ['error engine_unreachable_from_here']],
    ['refuses', { ask: answer(404) }, ['error engine_refuses']],
    ['serves another model', { ask: answer(200, ['other']) }, ['error engine_model_missing']],
    ['is passed over', { breaker: 'open' }, ['ok replica', 'warning breaker_open']],
  ])('that %s', (_, more, expected) => {
    const facts = {
      deployment,
      host: host(),
      replica: replica('ready'),
      ask: answer(200),
      breaker: 'closed',
    } as const;
    expect(told(...judgeDeployment({ ...facts, ...more }))).toEqual(expected);
  });
});
