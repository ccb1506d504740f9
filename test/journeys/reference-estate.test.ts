import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { LightHost } from '../harness/light-host.js';
import { eventually } from '../simulators/common/eventually.js';

const FILE = fileURLToPath(new URL('../../docs/examples/miket/fabric.yaml', import.meta.url));

interface ModelList {
  readonly data: readonly {
    readonly id: string;
    readonly fabric: { readonly kind: string; readonly state: string; readonly servedBy: string | null };
  }[];
}

describe('the reference estate', () => {
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;
  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({ fabric: readFileSync(FILE, 'utf8') });
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
  });
  afterAll(async () => {
    await armitage?.close();
    await controlPlane?.close();
  });

  const models = async (): Promise<Map<string, ModelList['data'][number]['fabric']>> => {
    const answer = await fetch(`${controlPlane.url}/v1/models`);
    const { data } = (await answer.json()) as ModelList;
    return new Map(data.map(({ id, fabric }) => [id, fabric]));
  };

  test('lists exactly its ten names', async () => {
    expect([...(await models()).keys()].sort()).toEqual([
      'chat-deep',
      'chat-fast',
      'embeddings-general',
      'llama31-8b-wintermute',
      'local/chat',
      'local/embed',
      'local/reasoner',
      'openai/cheap',
      'openai/strong',
      'qwen2.5-7b-armitage',
    ]);
  });

  test('says of each name what would become of a request now', async () => {
    armitage.serve('qwen2.5-7b-armitage');
    await eventually('qwen is ready', async () => (await models()).get('chat-fast')?.state === 'ready');
    const listed = await models();
    for (const name of ['chat-fast', 'local/chat', 'qwen2.5-7b-armitage']) {
      expect(listed.get(name)).toMatchObject({ state: 'ready', servedBy: 'qwen2.5-7b-armitage' });
    }
    for (const name of ['embeddings-general', 'local/embed', 'llama31-8b-wintermute']) {
      expect(listed.get(name)).toMatchObject({ state: 'away', servedBy: null });
    }
    for (const [name, { state }] of listed) {
      expect(['ready', 'busy', 'cloud', 'away', 'unavailable'], name).toContain(state);
    }
  });
});
