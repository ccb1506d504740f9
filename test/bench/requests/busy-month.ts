import type { RequestRow } from '@ai-fabric/control-plane/testing';
import { seededRandom } from '@ai-fabric/shared/testing';

/** What the fleet of the made-up log looks like. */
const ROLES = ['chat-fast', 'chat-deep', 'embeddings-general', 'local/reasoner'];
const TARGETS = [
  { target: 'qwen-armitage', host: 'armitage' },
  { target: 'llama-wintermute', host: 'wintermute' },
  { target: 'qwen-motoko', host: 'motoko' },
  { target: 'embed-motoko', host: 'motoko' },
  { target: 'openai/strong', host: 'openai' },
];
export const KEYS = [
  'anonymous',
  'admin',
  'obsidian',
  'editor',
  'home-assistant',
  'notebook',
  'bot',
  'batch',
];
const BATCH_ROWS = 100;
const FAILED_SHARE = 0.03;
const STREAM_SHARE = 0.7;
/** Those whose clients send an id of their own. */
const OWN_ID_SHARE = 0.3;
const SEVERAL_CANDIDATES_SHARE = 0.6;

/** Rows of a busy fleet, evenly over the time, the same with each run. */
export class BusyMonth {
  readonly #random = seededRandom(7);
  #count = 0;

  *batches(rows: number, fromMs: number, toMs: number): Generator<RequestRow[]> {
    for (let written = 0; written < rows; written += BATCH_ROWS) {
      yield Array.from({ length: Math.min(BATCH_ROWS, rows - written) }, (_, index) =>
        this.row(Math.floor(fromMs + ((toMs - fromMs) * (written + index)) / rows)),
      );
    }
  }

  row(endedAtMs: number): RequestRow {
    this.#count += 1;
    const { target, host } = this.#one(TARGETS);
    const failed = this.#random() < FAILED_SHARE;
    const stream = this.#random() < STREAM_SHARE;
    return {
      endedAtMs,
      requestId: this.#requestId(),
      ...{ key: this.#one(KEYS), role: this.#one(ROLES), target, host, stream },
      endpoint: '/chat/completions',
      outcome: failed ? 'failed' : 'ok',
      status: failed ? 502 : 200,
      reason: failed ? 'connect_refused' : 'least_cost',
      promptTokens: this.#upTo(8_000),
      completionTokens: this.#upTo(1_000),
      cachedTokens: this.#upTo(4_000),
      ttftMs: stream ? this.#upTo(900) : null,
      totalMs: this.#upTo(30_000),
      queueMs: this.#upTo(20),
      attempts: 1,
      rounds: [{ reason: 'least_cost', considered: this.#considered(target), failure: null }],
    };
  }

  #considered(chosen: string): RequestRow['rounds'][number]['considered'] {
    if (this.#random() > SEVERAL_CANDIDATES_SHARE)
      return [{ target: chosen, verdict: 'chosen', costSeconds: 0 }];
    return TARGETS.slice(0, 3).map(({ target }, index) => {
      const verdict = index === 0 ? 'chosen' : index === 1 ? 'passed_over' : 'host_away';
      return { target, verdict, costSeconds: verdict === 'host_away' ? null : this.#random() };
    });
  }

  #requestId(): string {
    if (this.#random() > OWN_ID_SHARE) return `req-0k3v9a2b-${this.#count.toString(36)}`;
    const hex = Array.from({ length: 4 }, () => this.#upTo(0xffffffff).toString(16).padStart(8, '0')).join(
      '',
    );
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }

  #upTo(most: number): number {
    return Math.floor(this.#random() * most);
  }
}
