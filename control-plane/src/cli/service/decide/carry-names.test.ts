import { describe, expect, it } from 'vitest';
import { parseFabricText } from '../../../declared/parse-fabric-text.js';
import { carryNames, listKeyVariables } from './carry-names.js';

const FABRIC = `
version: 1
hosts: { armitage: {} }
deployments:
  qwen: { host: armitage, engine: external, task: chat, url: http://127.0.0.1:9, servedModel: qwen }
providers:
  openai: { baseUrl: https://api.openai.com/v1, apiKey: { env: OPENAI_API_KEY }, models: { strong: { model: gpt-4.1 } } }
  other: { baseUrl: https://example.com/v1, apiKey: { file: /etc/key }, models: { small: { model: s } } }
roles: { chat-fast: { task: chat, targets: [{ deployment: qwen }] } }
aliases: { local/chat: chat-fast }
`;

describe('a declared state', () => {
  const read = parseFabricText(FABRIC, 'fabric.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.errors));

  it('has the names that clients may ask for', () => {
    const names = carryNames(read.state);
    expect(names).toMatchObject({ 'chat-fast': 'chat-fast', 'local/chat': 'chat-fast' });
    expect(Object.keys(names)).toEqual(expect.arrayContaining(['openai/strong', 'other/small']));
  });

  it('names the variables that its keys are read from', () => {
    expect(listKeyVariables(read.state)).toEqual(['OPENAI_API_KEY']);
  });
});
