import { describe, expect, it } from 'vitest';
import { fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { select, take, targetOf } from './testing/router-moves.js';

const state = stateOf({
  deployments: [deploymentOf('small', { contextTokens: 1_000 }), deploymentOf('large')],
  roles: [roleOf('chat-fast', ['small', 'large'])],
});

/** A prompt of so many bytes, as the gateway estimates it. */
const promptOf = (promptBytes: number) => ({
  estimatedPromptTokens: Math.ceil(promptBytes / 6),
  hints: { key: 'k', promptBytes, streams: false, choices: 1 },
});

describe('a prompt', () => {
  it('is measured by what its engine counted of others, once that is known', () => {
    const fabric = fabricOf(state);
    const served = (promptBytes: number): Set<string> =>
      new Set(Array.from({ length: 20 }, () => targetOf(select(fabric, promptOf(promptBytes)))));
    // 3 bytes a token: half of what the rough count believes.
    const answer = (): void => {
      const claim = take(fabric, { ...promptOf(2_400), excluded: new Set(['large']) });
      fabric.clock.advance(500);
      claim.release({ kind: 'succeeded', promptTokens: 800, completionTokens: 20 });
    };

    expect(served(2_700)).toContain('small');
    for (let count = 0; count < 19; count += 1) answer();
    expect(served(2_700)).toContain('small');
    for (let count = 0; count < 180; count += 1) answer();
    // 900 tokens, and 15 % more for doubt, are more than it takes; 800 are not.
    expect(served(2_700)).toEqual(new Set(['large']));
    expect(served(2_400)).toContain('small');
  });
});
