import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { chromium, chromiumPath, describeReal, describeThorough } from '../harness/real-part.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { type PageServer, startPageServer } from './foreign-page/start-page-server.js';

/** Every `.example` name leads to loopback, as an attacker's own DNS can have it. */
const NAMES = '--host-resolver-rules=MAP *.example 127.0.0.1';

/**
 * Chromium has begun to ask people before a page of the internet reaches their own machine; other browsers have not,
 * and people say yes. The gateway must hold by itself.
 */
const NO_HELP = '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets';

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  ...['--disable-sync', '--no-first-run', NAMES, NO_HELP],
];

const attacks = [
  'a fetch with a text body',
  'a fetch with a text body that wants no answer',
  'a fetch with a JSON body',
  'a fetch with a JSON body and a bearer',
  'a fetch of the models',
  'a form',
  'a beacon',
  'an image',
  'a script',
  'an event source',
  'a WebSocket to the feed',
  "a WebSocket to the agents' link",
];

/** Those that need no leave of the server to reach it with a body. */
const landing = [
  'a fetch with a text body',
  'a fetch with a text body that wants no answer',
  'a form',
  'a beacon',
];

describeReal("a web page in this machine's browser", [chromium], () => {
  let browser: Browser;
  let pages: PageServer;
  let engine: VllmSimulator;
  let fabric: BootedControlPlane;
  let page: Page;

  beforeAll(async () => {
    pages = await startPageServer();
    engine = await startVllmSimulator({ model: 'qwen' });
    fabric = await BootedControlPlane.boot({
      fabric: fabricYaml(engine.url, `http://app.example:${pages.port}`),
    });
    browser = await playwright.launch({ executablePath: chromiumPath, args: FLAGS });
  });

  afterAll(async () => {
    await browser?.close();
    await fabric?.close();
    await engine?.close();
    await pages?.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    engine.forgetRequests();
  });

  afterEach(() => page.close());

  const attack = (name: string, target: string): Promise<string> =>
    page.evaluate(`window.attacks[${JSON.stringify(name)}](${JSON.stringify(target)})`);

  const strangers = [
    { who: 'a site of the internet', address: () => `http://foreign.example:${pages.port}/` },
    { who: 'another server of this machine', address: () => `http://127.0.0.1:${pages.port}/` },
    {
      who: 'a sandboxed page without an origin',
      address: () => `http://foreign.example:${pages.port}/sandboxed`,
    },
  ];

  describe.each(strangers)('of $who', ({ address }) => {
    it('cannot spend a token or learn a status', async () => {
      await page.goto(address());

      const learned: Record<string, string> = {};
      for (const name of attacks) learned[name] = await attack(name, fabric.url);
      // Of a beacon a page never hears when it is over.
      await page.waitForLoadState('networkidle');

      expect(learned).toEqual(Object.fromEntries(attacks.map((name) => [name, 'nothing'])));
      expect(engine.requests).toEqual([]);
    });

    describeThorough('is dangerous', {}, () => {
      it('to a server that trusts loopback: the same attacks reach it', async () => {
        await page.goto(address());
        const target = `http://localhost:${pages.port}`;
        for (const name of landing) {
          const before = pages.taken.length;
          await attack(name, target);
          await expect.poll(() => pages.taken.slice(before).join()).toContain('POST /v1/chat/completions {');
        }
        expect(await attack('a WebSocket to the feed', target)).toBe('opened');
      });
    });
  });

  it('whose name was rebound to loopback is refused under that name', async () => {
    const port = new URL(fabric.url).port;
    const rebound = `http://rebound.example:${port}`;
    const html = await (await fetch(`http://127.0.0.1:${pages.port}/`)).text();
    // The page came while its name still led elsewhere.
    await page.route(`${rebound}/`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.goto(`${rebound}/`);
    const get = (path: string): Promise<number> =>
      page.evaluate(`fetch(${JSON.stringify(path)}).then((answer) => answer.status)`);

    // It asks its own origin, so it sees that it is refused; it sees nothing else.
    expect(await attack('a fetch with a text body', rebound)).toBe('status 421');
    expect(await attack('a fetch with a JSON body and a bearer', rebound)).toBe('status 421');
    expect(await attack('a WebSocket to the feed', rebound)).toBe('nothing');
    expect(await attack("a WebSocket to the agents' link", rebound)).toBe('nothing');
    expect(await get('/v1/models')).toBe(421);
    expect(await get('/metrics')).toBe(401);
    expect(await get('/api/v1/hosts')).toBe(401);
    expect(engine.requests).toEqual([]);
  });

  it('of an app that the operator allowed streams a chat', async () => {
    await page.goto(`http://app.example:${pages.port}/`);

    const shown = await page.evaluate(`window.streamChat(${JSON.stringify(fabric.url)})`);

    expect(shown).toMatchObject({ status: 200, done: true });
    expect((shown as { text: string }).text).not.toBe('');
    expect((shown as { requestId: string | null }).requestId).not.toBeNull();
    expect(engine.inferenceRequests).toHaveLength(1);
  });

  it('of an app that the operator allowed may use /v1 and nothing else', async () => {
    await page.goto(`http://app.example:${pages.port}/`);

    expect(await attack('a fetch of the models', fabric.url)).toBe('status 200');
    expect(await attack('a WebSocket to the feed', fabric.url)).toBe('nothing');
    expect(await attack("a WebSocket to the agents' link", fabric.url)).toBe('nothing');
  });
});

/** One engine behind a role, reached without an agent so that nothing but a page's request can reach it. */
function fabricYaml(engineUrl: string, allowedOrigin: string): string {
  return `
version: 1
providers:
  nearby:
    baseUrl: ${engineUrl}/v1
    models:
      fast: { model: qwen }
roles:
  chat-fast:
    task: chat
    targets:
      - { provider: nearby, model: fast }
gateway:
  allowedOrigins: [${allowedOrigin}]
`;
}
