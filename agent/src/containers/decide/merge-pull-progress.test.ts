import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergePullProgress, noPull, type PullState, sumPullProgress } from './merge-pull-progress.js';

const merge = (...messages: readonly unknown[]): PullState =>
  messages.reduce<PullState>(mergePullProgress, noPull);
const layer = (id: string, status: string, current?: number, total?: number) => ({
  ...{ id, status, progressDetail: current === undefined ? {} : { current, total } },
});
const A = 'aaaaaaaaaaaa';
const B = 'bbbbbbbbbbbb';

describe('the progress of a pull', () => {
  test('of Docker sums what is known of each layer', () => {
    const begun = merge(
      { status: 'Pulling from vllm/vllm-openai', id: 'v0.32.0' },
      layer(A, 'Pulling fs layer'),
      layer(B, 'Waiting'),
      layer(A, 'Downloading', 50e6, 100e6),
    );
    expect(sumPullProgress(begun)).toEqual({
      ...{ doneBytes: 50e6, totalBytes: 100e6, layersDone: 0, layersKnown: 2 },
      text: '48 of 95 MiB, 0 of 2 layers',
    });
    const fetched = [layer(B, 'Downloading', 10e6, 20e6), layer(A, 'Download complete')].reduce(
      mergePullProgress,
      begun,
    );
    expect(sumPullProgress(fetched)).toMatchObject({ doneBytes: 110e6, totalBytes: 120e6, layersDone: 1 });
    const unpacking = mergePullProgress(fetched, layer(A, 'Extracting', 10, 300e6));
    expect(sumPullProgress(unpacking)).toMatchObject({
      doneBytes: 110e6,
      totalBytes: 120e6,
      text: 'unpacking, 0 of 2 layers',
    });
    const done = [layer(A, 'Pull complete'), layer(B, 'Pull complete')].reduce(mergePullProgress, unpacking);
    expect(sumPullProgress(done)).toMatchObject({ doneBytes: 120e6, totalBytes: 120e6, layersDone: 2 });
  });

  test('of Podman may have no bytes at all', () => {
    const state = merge(
      layer(A, 'Pulling fs layer'),
      layer(A, 'Download complete'),
      layer(B, 'Already exists'),
    );
    expect(sumPullProgress(state)).toEqual({
      ...{ doneBytes: null, totalBytes: null, layersDone: 2, layersKnown: 2, text: '2 of 2 layers' },
    });
  });

  test('begins without words', () => {
    expect(sumPullProgress(noPull).text).toBe('asking the registry');
  });

  test('keeps the first error, which is the cause', () => {
    const state = merge(
      { error: 'no space left on device', errorDetail: { message: 'no space left on device' } },
      { error: 'context canceled' },
    );
    expect(state.error).toBe('no space left on device');
    expect(merge({ errorDetail: { message: 'denied' } }).error).toBe('denied');
  });

  test('a layer that is fetched anew never counts down', () => {
    const state = merge(layer(A, 'Downloading', 80, 100), layer(A, 'Downloading', 5, 100));
    expect(sumPullProgress(state).doneBytes).toBe(80);
  });

  test('layers without end are not counted', () => {
    let state = noPull;
    for (let at = 0; at < 2_000; at += 1) {
      state = mergePullProgress(state, layer(at.toString(16).padStart(12, '0'), 'Waiting'));
    }
    expect(state.layers.size).toBe(512);
  });

  test('never goes back, never passes its end, and takes any message', () => {
    const status = fc.constantFrom(
      'Downloading',
      'Extracting',
      'Download complete',
      'Pull complete',
      'Waiting',
      'Retrying in 5 s',
    );
    const message = fc.oneof(
      fc.record({
        id: fc.constantFrom(A, B, 'latest'),
        status,
        progressDetail: fc.record({ current: fc.integer(), total: fc.integer() }, { requiredKeys: [] }),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        let state = noPull;
        let before = 0;
        for (const each of messages) {
          state = mergePullProgress(state, each);
          const { doneBytes, totalBytes, layersDone, layersKnown } = sumPullProgress(state);
          expect(doneBytes ?? 0).toBeGreaterThanOrEqual(before);
          expect(doneBytes ?? 0).toBeLessThanOrEqual(totalBytes ?? 0);
          expect(layersDone).toBeLessThanOrEqual(layersKnown);
          before = doneBytes ?? 0;
        }
      }),
    );
  });
});
