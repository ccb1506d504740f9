import { describe, expect, it } from 'vitest';
import { parseFabricText } from '../../../declared/parse-fabric-text.js';
import { carryNames, listCloudNames, listKeyVariables } from './carry-names.js';

const FABRIC = `
version: 1
hosts: { armitage: {} }
deployments:
  qwen: { host: armitage, engine: external, task: chat, url: http://127.0.0.1:9, servedModel: qwen }
providers:
  openai: { baseUrl: https://api.openai.com/v1, apiKey: { env: OPENAI_API_KEY }, models: { strong: { model: gpt-4.1 } } }
  other: { baseUrl: https://example.com/v1, apiKey: { file: /etc/key }, models: { small: { model: s } } }
roles:
  chat-fast: { task: chat, targets: [{ deployment: qwen }, { provider: openai, model: strong }] }
  chat-cloud: { task: chat, targets: [{ provider: openai, model: strong }] }
aliases: { local/chat: chat-fast, gpt: chat-cloud }
`;

describe('a declared state', () => {
  const read = parseFabricText(FABRIC, 'fabric.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.errors));

  it('has the names that clients may ask for', () => {
    expect(carryNames(read.state)).toEqual(
      expect.arrayContaining(['chat-fast', 'local/chat', 'openai/strong', 'other/small']),
    );
  });

  it('has names that a provider alone answers', () => {
    expect([...listCloudNames(read.state)].toSorted()).toEqual([
      ...['chat-cloud', 'gpt', 'openai/strong', 'other/small'],
    ]);
  });

  it('names the variables that its keys are read from', () => {
    expect(listKeyVariables(read.state)).toEqual(['OPENAI_API_KEY']);
  });
});
