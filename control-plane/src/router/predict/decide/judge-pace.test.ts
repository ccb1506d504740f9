import { expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import { emptyLoad, emptyPrediction } from '../predict-types.js';
import { isPaced } from './judge-pace.js';

it.each([
  [
    'nothing of ours is being read there',
    { prefilling: 0, backlogTokens: 0 },
    { uncachedTokens: 4_000, startSeconds: 3 },
    false,
  ],
  [
    'both prompts together are short',
    { prefilling: 1, backlogTokens: 212 },
    { uncachedTokens: 300, startSeconds: 3 },
    false,
  ],
  [
    'it would start at once all the same',
    { prefilling: 1, backlogTokens: 900 },
    { uncachedTokens: 300, startSeconds: 0.15 },
    false,
  ],
  [
    'it has enough to read',
    { prefilling: 1, backlogTokens: 213 },
    { uncachedTokens: 300, startSeconds: 0.16 },
    true,
  ],
])('%s', (_why, load, prediction, isHeldBack) => {
  const judged = isPaced(
    { ...emptyLoad(), ...load },
    { ...emptyPrediction(), ...prediction },
    defaultPredictSettings.pace,
  );
  expect(judged).toBe(isHeldBack);
});
