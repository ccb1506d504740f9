export { artefactOf, manifestOf } from '../release/testing/manifest-of.js';
export { ManualClock } from './manual-clock.js';
export { seededRandom } from './seeded-random.js';
