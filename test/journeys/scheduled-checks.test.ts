import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';

const SECRET = 'a-secret-of-the-webhook';

interface Post {
  readonly signature: string;
  readonly delivery: string;
  readonly text: string;
  readonly status: number;
}
interface News {
  readonly check: string;
  readonly new: readonly { readonly severity: string; readonly where: { readonly name: string } }[];
  readonly cleared: readonly { readonly where: { readonly name: string } }[];
}

/** Somebody who wants to know, and is sometimes not well himself. */
class Listener {
  readonly posts: Post[] = [];
  failNext = 0;
  readonly #server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const status = this.failNext > 0 ? 503 : 204;
      this.failNext = Math.max(0, this.failNext - 1);
      const header = (name: string) => String(request.headers[name]);
      const [signature, delivery] = [header('x-fabric-signature'), header('x-fabric-delivery')];
      this.posts.push({ signature, delivery, text, status });
      response.writeHead(status).end();
    });
  });

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }
  get news(): News[] {
    return this.posts.filter(({ status }) => status < 300).map(({ text }) => JSON.parse(text) as News);
  }
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe('checks on a schedule', () => {
  const listener = new Listener();
  let fabric: BootedFabric;
  let secrets: TemporaryDirectory;

  beforeAll(async () => {
    secrets = temporaryDirectory();
    const file = join(secrets.path, 'webhook.secret');
    writeFileSync(file, SECRET, { mode: 0o600 });
    await listener.listen();
    fabric = await BootedFabric.boot({
      hosts: {
        motoko: { cards: {}, engines: { 'qwen-motoko': {} } },
        wintermute: { agent: 'none', mayBeAway: true, engines: { 'llama-wintermute': {} } },
      },
      roles: { 'chat-fast': { targets: ['qwen-motoko'] }, 'chat-away': { targets: ['llama-wintermute'] } },
      checks: {
        doctor: { cron: '* * * * * *' },
        smoke: { everySeconds: 1 },
        webhook: { url: listener.url, secret: { file } },
      },
    });
    // What was seen while it started comes and goes before the tests begin.
    await eventually('both checks have run on a healthy fabric', async () => {
      const checks = await fabric.controlPlane.api<{
        doctor: { last: { worst: string } | null };
        smoke: { last: { results: { outcome: string }[] } | null };
      }>('/checks');
      const { doctor, smoke } = checks;
      return (
        (doctor.last?.worst === 'ok' || doctor.last?.worst === 'info') &&
        smoke.last !== null &&
        smoke.last.results.every(({ outcome }) => outcome !== 'broken')
      );
    });
  }, 60_000);
  afterAll(async () => {
    await fabric?.close();
    listener.close();
    secrets?.remove();
  });

  const toldOf = (check: string, list: 'new' | 'cleared', name: string, from: number): boolean =>
    listener.news
      .slice(from)
      .some((news) => news.check === check && news[list].some(({ where }) => where.name === name));

  test('tell when an engine dies and when it is back, once each, also to one who failed at first', async () => {
    const start = listener.news.length;
    listener.failNext = 1;
    await fabric.engine('qwen-motoko').fault({ kind: 'crash' });
    await eventually(
      'doctor told of the engine',
      () => toldOf('doctor', 'new', 'qwen-motoko', start),
      30_000,
    );
    await eventually('smoke told of the role', () => toldOf('smoke', 'new', 'chat-fast', start), 30_000);
    const back = listener.news.length;
    await fabric.engine('qwen-motoko').restart();
    await eventually('the engine is cleared', () => toldOf('doctor', 'cleared', 'qwen-motoko', back), 30_000);
    await eventually('the role is cleared', () => toldOf('smoke', 'cleared', 'chat-fast', back), 30_000);

    const failed = listener.posts.find(({ status }) => status === 503);
    const again = listener.posts.filter(({ delivery }) => delivery === failed?.delivery);
    expect(again.map(({ status }) => status)).toEqual([503, 204]);
    for (const { text, signature } of listener.posts) {
      expect(signature).toBe(`sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`);
    }
    // A host that may be away is no news, however long it is.
    expect(listener.posts.map(({ text }) => text).join()).not.toContain('wintermute');
    const stories = listener.news.slice(start).filter(({ check }) => check === 'smoke');
    expect(
      stories.filter((news) => news.new.some(({ where }) => where.name === 'chat-fast')).length,
    ).toBeLessThan(3);
  }, 120_000);

  test('are seen, with when they run next and that the webhook was told', async () => {
    const checks = await fabric.controlPlane.api<{
      smoke: { schedule: object; last: { startedBy: string } };
      webhook: { declared: boolean; lastPostedAtMs: number | null };
    }>('/checks');
    expect(checks.smoke).toMatchObject({ schedule: { everySeconds: 1 }, last: { startedBy: 'schedule' } });
    expect(checks.webhook.declared).toBe(true);
    expect(checks.webhook.lastPostedAtMs).toBeGreaterThan(0);
  });
});
