import { describe, expect, it } from 'vitest';
import { argumentValue } from '../../agent/src/replica/fit/decide/apply-fallbacks.js';
import type { FitCard } from '../../agent/src/replica/fit/decide/card-memory.js';
import { estimateModel } from '../../agent/src/replica/fit/decide/estimate-model.js';
import { judgeFit } from '../../agent/src/replica/fit/decide/judge-fit.js';
import { CARD_GIGABYTES, findPreset, presetNames } from '../../control-plane/src/declared/decide/presets.js';

const card = (gigabytes: number): FitCard => ({
  ...{ uuid: 'GPU-1', index: 0, totalBytes: gigabytes * 1024 ** 3, usedBytes: 0, ownBytes: 0 },
  ...{ otherReplicasBytes: 0, loading: false, wddm: false, footprintBytes: null },
});

describe.each(presetNames)('the preset %s', (name) => {
  it.each(CARD_GIGABYTES)('fits a card of %i GB with nothing else on it', (gigabytes) => {
    const { model, task, quantization, contextTokens, maxConcurrent, extraArguments } = findPreset(
      name,
      gigabytes,
    );
    const kvCacheType = argumentValue(extraArguments, '--kv-cache-dtype');
    const { fit } = judgeFit(
      {
        ...{
          model,
          task,
          contextTokens,
          maxConcurrent,
          gpu: { select: 'any' },
          gpuMemoryRatio: null,
          cardCount: 1,
        },
        estimate: estimateModel({ model, quantization, kvCacheType }),
      },
      [card(gigabytes)],
    );
    expect({ model, ...fit }).toMatchObject({ verdict: 'fits' });
  });
});
