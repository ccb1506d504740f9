import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineSession } from './engine-session.js';

const VERSION = { Version: '28.1.1', ApiVersion: '1.47', MinAPIVersion: '1.24' };
const INFO = { OperatingSystem: 'Debian GNU/Linux 12', SecurityOptions: ['name=rootless'] };

type Answers = Readonly<Record<string, (response: ServerResponse) => void>>;

let folder: string;
let server: Server | null = null;
let session: EngineSession | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-session-'));
});
afterEach(() => {
  session?.close();
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of a user that no machine has. */
const ABSENT_USER = '/run/user/4294967290';

function look(...endpoints: string[]): Promise<unknown> {
  session = new EngineSession({
    ...{ endpoints, platform: 'linux', clock: systemClock(), log: pino({ level: 'silent' }) },
  });
  return session.probe(new AbortController().signal);
}

async function probe(answers: Answers): Promise<unknown> {
  const path = join(folder, 'engine.sock');
  const started = createServer((request, response) => {
    if (request.url === '/_ping') response.end('OK');
    else answers[request.url ?? '']?.(response);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(path, resolve));
  return look(path);
}

describe('looking for an engine', () => {
  test('asks for version and surroundings at the same time', async () => {
    // Neither is answered before both were asked.
    const asked: (() => void)[] = [];
    const together = (value: object) => (response: ServerResponse) => {
      asked.push(() => response.end(JSON.stringify(value)));
      if (asked.length === 2) for (const answer of asked) answer();
    };
    expect(await probe({ '/version': together(VERSION), '/info': together(INFO) })).toMatchObject({
      reachable: true,
      info: { version: '28.1.1', rootless: true },
    });
  });

  test('does without the surroundings', async () => {
    const found = await probe({
      '/version': (response) => response.end(JSON.stringify(VERSION)),
      '/info': (response) => response.destroy(),
    });
    expect(found).toMatchObject({ reachable: true, info: { version: '28.1.1', rootless: false } });
  });

  test('waits for no surroundings where there is no version', async () => {
    const found = await probe({
      '/version': (response) => response.writeHead(500).end(),
      '/info': () => {},
    });
    expect(found).toMatchObject({ reachable: false });
  });

  test('of a user tells whether that user has to sign in, or the engine does not run', async () => {
    const absent = await look(join(folder, 'none.sock'), `${ABSENT_USER}/podman/podman.sock`);
    expect(absent).toMatchObject({ code: 'sign_in_needed' });
    session?.close();
    expect(await look(join(folder, 'none.sock'))).toMatchObject({ code: 'engine_unreachable' });
  });
});
