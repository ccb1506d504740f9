import { describe, expect, it } from 'vitest';
import { writeHttpHead } from './write-http-head.js';

describe('the head of a question', () => {
  it('names what is asked, and of whom', () => {
    expect(writeHttpHead({ method: 'GET', url: new URL('http://[::1]:8000/v1/models?a=b') }, null)).toBe(
      'GET /v1/models?a=b HTTP/1.1\r\nhost: [::1]:8000\r\naccept: */*\r\n\r\n',
    );
  });

  it('tells how long a body is, in bytes', () => {
    const head = writeHttpHead(
      { method: 'POST', url: new URL('http://engine/'), json: { a: 'é' }, headers: { 'x-one': '1' } },
      JSON.stringify({ a: 'é' }),
    );
    expect(head.split('\r\n')).toEqual([
      ...['POST / HTTP/1.1', 'host: engine', 'accept: */*', 'content-type: application/json'],
      ...['content-length: 10', 'x-one: 1', '', ''],
    ]);
    expect(writeHttpHead({ method: 'POST', url: new URL('http://engine/') }, null)).toContain(
      'content-length: 0\r\n',
    );
  });

  it('has the name and password of the URL, unless it is told otherwise', () => {
    const url = new URL('http://me:p%40ss@engine/');
    expect(writeHttpHead({ method: 'GET', url }, null)).toContain(
      `authorization: Basic ${Buffer.from('me:p@ss').toString('base64')}\r\n`,
    );
    const told = writeHttpHead({ method: 'GET', url, headers: { Authorization: 'Bearer k' } }, null);
    expect(told).toContain('Authorization: Bearer k\r\n');
    expect(told).not.toContain('Basic');
  });

  it('is not sent with what would be a line of its own', () => {
    const url = new URL('http://engine/');
    for (const headers of [{ key: 'a\r\nb: c' }, { 'a\nb': 'c' }, { key: '\u0000' }, { key: '€' }]) {
      expect(() => writeHttpHead({ method: 'GET', url, headers }, null)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_CHAR' }),
      );
    }
  });
});
