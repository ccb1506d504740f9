import { describe, expect, it } from 'vitest';
import { findMetricsUrl } from './find-metrics-url.js';

describe('where an engine’s metrics are', () => {
  it.each([
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000/metrics'],
    ['http://127.0.0.1:8000/', 'http://127.0.0.1:8000/metrics'],
    ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000/metrics'],
    ['http://127.0.0.1:8000/v1/', 'http://127.0.0.1:8000/metrics'],
    ['https://box.local/engines/a/v1', 'https://box.local/engines/a/metrics'],
    ['http://user:secret@box:8000/v1?key=x', 'http://box:8000/metrics'],
    ['not a url', null],
    ['', null],
  ])('of %j is %j', (url, expected) => {
    expect(findMetricsUrl(url)).toBe(expected);
  });
});
