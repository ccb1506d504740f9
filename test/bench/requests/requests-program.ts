import { RequestLogStage } from '@ai-fabric/control-plane/testing';
import { systemClock } from '@ai-fabric/shared';
import { answerParent } from '../machine/answer-parent.js';
import { BusyMonth, KEYS } from './busy-month.js';

/** The event loop that the gateway would run on, with a log of a million rows behind it. */
export type RequestsQuestion =
  | { readonly kind: 'read'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'write'; readonly rowsPerSecond: number; readonly forMs: number };

export interface ReadAnswer {
  readonly hourByModelMs: number;
  /** The slowest of several filters. */
  readonly pageMs: number;
  readonly rowsRead: number;
}

export interface WriteAnswer {
  readonly stallMaxMs: number;
  readonly written: number;
  readonly dropped: number;
}

const BURST_MS = 10;
const PAGE_ROWS = 100;

const [dataDirectory = ''] = process.argv.slice(2);
const stage = new RequestLogStage(dataDirectory, systemClock());
const month = new BusyMonth();

answerParent<RequestsQuestion>((question) =>
  question.kind === 'read' ? read(question) : write(question.rowsPerSecond, question.forMs),
);

async function read({ fromMs, toMs }: { fromMs: number; toMs: number }): Promise<ReadAnswer> {
  // The thread's start is not what is measured: whoever pages on meets a running one.
  await stage.page({ limit: 1 });
  let rowsRead = 0;
  const timed = async (ask: () => Promise<number>): Promise<number> => {
    const startedAtMs = performance.now();
    rowsRead += await ask();
    return performance.now() - startedAtMs;
  };
  const usage = { by: 'target', per: 'hour', limit: 10_000, after: null } as const;
  const hourByModelMs = await timed(() => stage.usage({ ...usage, fromMs, toMs }));
  const middleMs = (fromMs + toMs) / 2;
  const filters = [
    { role: 'chat-deep', key: KEYS[3] },
    { failed: true, host: 'wintermute' },
    { role: 'chat-fast', failed: true, fromMs, toMs: middleMs },
    { key: 'nobody' },
    // Matches an hour's roll-up and hardly a row of it: the rows are looked at until the bound.
    { role: 'embeddings-general', key: KEYS[7], host: 'openai', failed: true },
  ];
  let pageMs = 0;
  for (const filter of filters) {
    pageMs = Math.max(pageMs, await timed(() => stage.page({ ...filter, limit: PAGE_ROWS })));
  }
  return { hourByModelMs, pageMs, rowsRead };
}

/** The longest gap between two turns of the loop, while rows are told at this rate. */
function write(rowsPerSecond: number, forMs: number): Promise<WriteAnswer> {
  const startedAtMs = performance.now();
  let written = 0;
  let stallMaxMs = 0;
  let lastTurnMs = startedAtMs;
  return new Promise((resolve) => {
    const turn = (): void => {
      const nowMs = performance.now();
      stallMaxMs = Math.max(stallMaxMs, nowMs - lastTurnMs);
      lastTurnMs = nowMs;
      const due = Math.floor(
        (Math.floor((nowMs - startedAtMs) / BURST_MS) * BURST_MS * rowsPerSecond) / 1_000,
      );
      for (; written < due; written += 1) stage.append(month.row(Date.now()));
      if (nowMs - startedAtMs < forMs) setTimeout(turn, 1);
      else resolve({ stallMaxMs, written, dropped: stage.droppedCount });
    };
    turn();
  });
}
