import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { parseFabricText } from '../../declared/parse-fabric-text.js';
import { WatchedFabricFile } from '../../declared/watched-fabric-file.js';
import { TelemetryHistory } from '../../history/telemetry-history.js';
import { createHostLife } from '../../host-life.js';
import { LiveState } from '../../live/live-state.js';
import { BackupError } from '../../registry/backup/backup-format.js';
import { openRegistry } from '../../registry/open-registry.js';
import { RecentDecisions } from '../../registry/recent-decisions.js';
import type { Registry } from '../../registry/registry-types.js';
import { createRouter, type RunningRouter } from '../../router/create-router.js';
import { createApi } from '../create-api.js';
import { FakeHostCalls } from './fake-host-calls.js';
import { FakeInstalls } from './fake-installs.js';
import { NO_SLEEPS, NO_WAKES } from './no-wakes.js';

const FABRIC = `
version: 1
hosts: { motoko: {}, armitage: { mayBeAway: true } }
deployments:
  qwen: { host: armitage, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: Qwen }
roles:
  chat-fast: { task: chat, targets: [{ deployment: qwen }] }
aliases: { local/chat: chat-fast }
`;
/** No host is linked. */
const noLinks = {
  hasLink: () => false,
  identityConflict: () => null,
  clearIdentityConflict: () => false,
  endHost: () => undefined,
};
export const TEST_TOKEN = 'aifa_test';
export const TEST_CERTIFICATE = 'ab'.repeat(32);

export interface TestAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: ReturnType<JSON['parse']>;
}

/** The control API without a network, on a registry of its own. */
export class TestApi {
  readonly clock = new ManualClock();
  /** What the agents of its hosts would answer. */
  readonly hostCalls = new FakeHostCalls();
  readonly installs = new FakeInstalls();
  readonly decisions = new RecentDecisions();
  readonly #directory = mkdtempSync(join(tmpdir(), 'ai-fabric-api-'));
  registry: Registry;
  live: LiveState;
  app: ReturnType<typeof createApi>;
  #router: RunningRouter;
  #telemetry: TelemetryHistory;

  constructor() {
    [this.registry, this.live, this.#router, this.#telemetry, this.app] = this.#open();
    const parsed = parseFabricText(FABRIC, 'fabric.yaml');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    this.registry.declared.replace(parsed.state, 0);
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<TestAnswer> {
    const answer = await this.app.request(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      headers: answer.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }

  /** A call whose answer is no JSON. */
  async raw(path: string): Promise<Response> {
    return this.app.request(`/api/v1${path}`, { headers: { authorization: `Bearer ${TEST_TOKEN}` } });
  }

  /** Another process on the same data directory. */
  async restart(): Promise<void> {
    await this.#close();
    [this.registry, this.live, this.#router, this.#telemetry, this.app] = this.#open();
  }

  async remove(): Promise<void> {
    await this.#close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    this.#router.close();
    this.#telemetry.close();
    await this.registry.close();
  }

  #open(): [Registry, LiveState, RunningRouter, TelemetryHistory, ReturnType<typeof createApi>] {
    const { clock } = this;
    const log = pino({ level: 'silent' });
    const registry = openRegistry({ dataDirectory: this.#directory, clock, log });
    const live = new LiveState({ clock, log });
    live.seed([], registry.declared.current());
    registry.declared.onChange((state) => live.applyDeclared(state));
    const { declared, tokens, keys, writes, observations, reader } = registry;
    const telemetry = new TelemetryHistory({
      ...{ live, observations, clock, runId: 'run-1' },
      read: (question) => reader.query('telemetry', question),
    });
    const router = createRouter({
      ...{ declared, live, secrets: { has: () => false }, clock, random: () => 0, log },
    });
    const api = createApi(
      {
        ...{
          clock,
          live,
          telemetry,
          router,
          tokens,
          keys,
          declared,
          writes,
          reader,
          certificateSha256: TEST_CERTIFICATE,
        },
        fabricFile: new WatchedFabricFile(null),
        bodies: { find: () => Promise.resolve(null) },
        decisions: this.decisions,
        status: () => ({
          ...{
            startedAtMs: 1,
            linkedHosts: 0,
            feedSubscribers: 0,
            droppedObservations: 0,
            droppedRequestRows: 0,
          },
          fabricFileDiffers: false,
        }),
        checks: {
          doctor: () => Promise.reject(new Error('not here')),
          smoke: () => Promise.reject(new Error('not here')),
          last: () => ({ doctor: null, smoke: null }),
          nextAtMs: () => null,
          bundle: () => {
            throw new Error('not here');
          },
          webhook: () => ({ lastPostedAtMs: null, lastProblem: null }),
        },
        createFeedTicket: () => 'aift_test',
        logLevel: { current: 'info', change: () => undefined },
        serverUrls: () => ['https://motoko:8443'],
        verifyAdminToken: (presented) => presented === TEST_TOKEN,
        backups: {
          draft: () => Promise.reject(new BackupError('backup_full', 'the disk is full', 'make room')),
          status: () =>
            Promise.resolve({ schedule: null, nextAtMs: null, lastSuccess: null, lastFailure: null }),
        },
        hostCalls: this.hostCalls,
        hostWakes: NO_WAKES,
        hostSleeps: NO_SLEEPS,
        installs: this.installs,
        hostLife: createHostLife({ registry, live, link: noLinks, router, clock }),
      },
      log,
    );
    return [registry, live, router, telemetry, api];
  }
}
