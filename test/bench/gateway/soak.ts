import type { BenchContext, FigureDefinition, Measured } from '../bench.js';
import { Rounds } from '../rounds.js';
import type { Contender } from './contender.js';
import type { StreamLoadAnswer } from './load/stream-load.js';
import type { Load } from './open-load.js';
import { chatRequest } from './sample-bodies.js';

const MINUTES = 10;
const STREAMS = 100;
const PACED_PER_SECOND = 200;
/** Streams end after twelve seconds, by themselves. */
const STRETCH_MS = 10_000;
const STRETCHES_PER_MINUTE = 60_000 / STRETCH_MS;
/** What was decided on the last 100,000 requests is kept in memory: until that is full, growth is no leak. */
const FILLED_AFTER_REQUESTS = 120_000;
const FILL_TURN_MS = 5_000;

export const SOAK_FIGURES: readonly FigureDefinition[] = [
  {
    name: 'soak_rss_growth',
    meaning: '--soak: resident memory after ten minutes ÷ after the first of them',
    limit: { atMost: 1.05 },
    from: 'median',
  },
  { name: 'soak_rss_first_mb', meaning: '--soak: after one minute', limit: null, from: 'median' },
  {
    name: 'soak_rss_last_mb',
    meaning: '--soak: after ten minutes',
    limit: { atMost: 220 },
    from: 'median',
  },
];

/** Ten minutes of requests and streams, and what the memory was after each of them. */
export async function soak(
  context: BenchContext,
  { process, target }: Contender,
  load: Load,
): Promise<Pick<Measured, 'rounds' | 'notes'>> {
  const rounds = new Rounds();
  let filled = 0;
  while (filled < FILLED_AFTER_REQUESTS) {
    filled += (await load.json({ ...target, body: chatRequest(false) }, FILL_TURN_MS)).answers;
    context.progress(`${filled} requests, until what is kept of them is full`);
  }
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    for (let stretch = 0; stretch < STRETCHES_PER_MINUTE; stretch += 1) await oneStretch(target, load);
    const rssMb = process.readings().rssBytes / 1e6;
    rounds.add('soak_rss_mb', rssMb);
    context.progress(`minute ${minute} of ${MINUTES}: ${rssMb.toFixed(0)} MB`);
  }
  const all = rounds.of('soak_rss_mb') ?? [];
  const [first = Number.NaN] = all;
  const last = all.at(-1) ?? Number.NaN;
  return {
    rounds: {
      soak_rss_growth: [last / first],
      soak_rss_first_mb: [first],
      soak_rss_last_mb: [last],
      ...rounds.all,
    },
    notes: [
      `${filled} requests, then ${PACED_PER_SECOND} requests/s and ${STREAMS} streams at once for ${MINUTES} minutes`,
    ],
  };
}

async function oneStretch(target: Contender['target'], load: Load): Promise<void> {
  const question = { type: 'open', target: { ...target, body: chatRequest(true) }, streams: STREAMS };
  const { refusal } = await load.streams.ask<StreamLoadAnswer>(question);
  if (refusal !== null) throw new Error(`a stream was refused: ${refusal}`);
  const { failures } = await load.paced(
    { ...target, body: chatRequest(false) },
    PACED_PER_SECOND,
    STRETCH_MS,
  );
  if (failures > 0) throw new Error(`${failures} requests failed`);
  await load.streams.ask<StreamLoadAnswer>({ type: 'close' });
}
