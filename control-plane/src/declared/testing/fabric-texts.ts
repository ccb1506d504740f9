import { formatFabricErrors, parseFabricText } from '../parse-fabric-text.js';

/** A valid file whose lines the cases replace or add to; line numbers in expectations count from its first. */
export const VALID = [
  'version: 1', //                                                                                             1
  'hosts:', //                                                                                                 2
  '  motoko:', //                                                                                              3
  '  armitage: { mayBeAway: true }', //                                                                        4
  'deployments:', //                                                                                           5
  '  qwen-armitage: { host: armitage, task: chat, engine: external, url: http://armitage:8000, servedModel: qwen }',
  '  bge-motoko: { host: motoko, task: embeddings, engine: external, url: http://motoko:8001, servedModel: bge }',
  'providers:', //                                                                                             8
  '  openai: { baseUrl: https://api.openai.com/v1, apiKey: { env: OPENAI_API_KEY }, models: { cheap: { model: mini } } }',
  'roles:', //                                                                                                10
  '  chat-fast: { task: chat, targets: [ { deployment: qwen-armitage }, { provider: openai, model: cheap } ] }',
  '  embed: { task: embeddings, targets: [ { deployment: bge-motoko } ] }', //                                12
  'aliases:', //                                                                                              13
  '  local/chat: chat-fast', //                                                                               14
  'gateway: {}', //                                                                                           15
];

export function withLine(line: number, text: string): string {
  return VALID.toSpliced(line - 1, 1, text).join('\n');
}

/** All that is wrong with a text, a line per mistake. */
export function errorsOf(text: string): string {
  const result = parseFabricText(text, 'fabric.yaml');
  return result.ok ? 'no error' : formatFabricErrors(result);
}
