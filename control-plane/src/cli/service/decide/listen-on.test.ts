import { describe, expect, it } from 'vitest';
import { listenOn } from './listen-on.js';

describe('addresses to listen on', () => {
  it.each([
    [['100.64.0.1'], ['127.0.0.1', '100.64.0.1']],
    [
      ['100.64.0.1, [fd7a::1]', '100.64.0.1'],
      ['127.0.0.1', '100.64.0.1', 'fd7a::1'],
    ],
    [['0.0.0.0'], ['0.0.0.0']],
    [['::'], ['::']],
    [
      ['100.64.0.1', '127.0.0.1'],
      ['100.64.0.1', '127.0.0.1'],
    ],
  ])('%j are %j', (asked, listened) => {
    expect(listenOn(asked)).toEqual(listened);
  });
});
