import { describe, expect, it } from 'vitest';
import { readWishHeaders } from './read-wish-headers.js';

const CLASS = 'x-fabric-class';
const WAIT = 'x-fabric-max-wait';
const LOCAL = 'x-fabric-local-only';

describe('what a client wishes for one request', () => {
  it.each([
    [{}, false],
    [{ [LOCAL]: 'true' }, true],
    [{ [LOCAL]: ' TRUE ' }, true],
    [{ [LOCAL]: 'false', [CLASS]: 'batch' }, false],
  ])('%j stays on our own hosts: %s', (headers, localOnly) => {
    expect(readWishHeaders(headers)).toMatchObject({ localOnly });
  });

  it.each([
    [{}, null, null],
    [{ [CLASS]: 'interactive' }, 'interactive', null],
    [{ [CLASS]: ' BATCH\t' }, 'batch', null],
    [{ [WAIT]: '0' }, null, 0],
    [{ [WAIT]: ' 0.25 ' }, null, 250],
    [{ [CLASS]: 'normal', [WAIT]: '999999999' }, 'normal', 999_999_999_000],
  ])('%j', (headers, requestClass, maxWaitMs) => {
    expect(readWishHeaders(headers)).toEqual({ requestClass, maxWaitMs, localOnly: false });
  });

  it.each([
    [{ [CLASS]: '' }, CLASS],
    [{ [CLASS]: 'urgent' }, CLASS],
    // Node joins what is sent twice.
    [{ [CLASS]: 'interactive, batch' }, CLASS],
    [{ [CLASS]: ['interactive', 'batch'] }, CLASS],
    [{ [WAIT]: '' }, WAIT],
    [{ [WAIT]: '-1' }, WAIT],
    [{ [WAIT]: '1e3' }, WAIT],
    [{ [WAIT]: 'NaN' }, WAIT],
    [{ [WAIT]: 'Infinity' }, WAIT],
    [{ [WAIT]: '1,5' }, WAIT],
    [{ [WAIT]: '.5' }, WAIT],
    [{ [WAIT]: '1 s' }, WAIT],
    [{ [CLASS]: 'batch', [WAIT]: '1234567890' }, WAIT],
    [{ [LOCAL]: '1' }, LOCAL],
    [{ [LOCAL]: 'yes' }, LOCAL],
    [{ [LOCAL]: '' }, LOCAL],
    [{ [LOCAL]: 'true, true' }, LOCAL],
    [{ [LOCAL]: ['true', 'false'] }, LOCAL],
  ])('%j is wrong', (headers, name) => {
    const wishes = readWishHeaders(headers);
    expect('error' in wishes ? wishes.error : wishes).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^The header ${name} is ".*"; expected .+`)),
    });
  });

  it('repeats no more of a value than what tells which it was', () => {
    const wishes = readWishHeaders({ [CLASS]: 'x'.repeat(5_000) });
    expect('error' in wishes && wishes.error.message.length).toBeLessThan(200);
  });
});
