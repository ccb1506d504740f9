import { MAX_RECORD_BYTES, type NameNumbers, readDecision, writeDecision } from './decide/decision-record.js';
import type { ExplainedRequest, RequestRow } from './request-types.js';

const MAX_REQUESTS = 100_000;
const CHUNK_BYTES = 256 * 1024;
/** Of the smallest records so many fit into a chunk. */
const LEAST_RECORD_BYTES = 60;
/** Of each record two halves of its id's hash, and its place. */
const MARKS_PER_RECORD = 3;
/** A name beyond them is told as this. */
const OTHER = '…';
const MAX_NAMES = 0xffff;

/** Bytes of many records, and where each begins. */
interface Chunk {
  readonly bytes: DataView;
  end: number;
  readonly marks: Uint32Array;
  count: number;
}

/**
 * Why the last hundred thousand requests went where they went, in memory: there before the registry has them, and where the
 * registry's writer could not keep up. A record takes 400 bytes at most, and nothing of it is an object.
 */
export class RecentDecisions {
  readonly #chunks: Chunk[] = [];
  readonly #names = new InternedNames();
  readonly #most: number;
  readonly #chunkBytes: number;
  #count = 0;

  constructor(most = MAX_REQUESTS, chunkBytes = CHUNK_BYTES) {
    this.#most = most;
    this.#chunkBytes = chunkBytes;
  }

  /** Neither blocks nor throws. */
  append(row: RequestRow): void {
    const chunk = this.#roomy();
    const start = chunk.end;
    chunk.end = writeDecision(chunk.bytes, start, row, this.#names);
    const mark = MARKS_PER_RECORD * chunk.count;
    chunk.marks[mark] = hashOf(row.requestId, HIGH);
    chunk.marks[mark + 1] = hashOf(row.requestId, LOW);
    chunk.marks[mark + 2] = start;
    chunk.count += 1;
    this.#count += 1;
    while (this.#count - (this.#chunks[0]?.count ?? 0) >= this.#most) {
      this.#count -= this.#chunks.shift()?.count ?? 0;
    }
  }

  /** The latest of this id, with `sequence` 0: the registry gives that. */
  find(requestId: string): ExplainedRequest | null {
    const [high, low] = [hashOf(requestId, HIGH), hashOf(requestId, LOW)];
    for (const { bytes, marks, count } of this.#chunks.toReversed()) {
      for (let mark = MARKS_PER_RECORD * (count - 1); mark >= 0; mark -= MARKS_PER_RECORD) {
        if (marks[mark] !== high || marks[mark + 1] !== low) continue;
        return { ...readDecision(bytes, marks[mark + 2] ?? 0, this.#names), requestId, sequence: 0 };
      }
    }
    return null;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#chunks.reduce((sum, { bytes, marks }) => sum + bytes.byteLength + marks.byteLength, 0);
  }

  #roomy(): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.end + MAX_RECORD_BYTES <= this.#chunkBytes) return last;
    const bytes = new DataView(new ArrayBuffer(this.#chunkBytes));
    const most = Math.ceil(this.#chunkBytes / LEAST_RECORD_BYTES);
    const chunk: Chunk = { bytes, end: 0, marks: new Uint32Array(MARKS_PER_RECORD * most), count: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }
}

class InternedNames implements NameNumbers {
  readonly #names: string[] = [OTHER];
  readonly #numbers = new Map<string, number>([[OTHER, 0]]);

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    // Names of declared things and codes are few; what clients make up must not fill the memory.
    if (this.#names.length >= MAX_NAMES) return 0;
    const number = this.#names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? OTHER;
  }
}

interface HashLane {
  readonly basis: number;
  readonly prime: number;
}

/** FNV-1a twice over: of a hundred thousand ids no two are likely to share both. */
const HIGH: HashLane = { basis: 0x811c9dc5, prime: 0x01000193 };
const LOW: HashLane = { basis: 0x9747b28c, prime: 0x85ebca6b };

function hashOf(id: string, { basis, prime }: HashLane): number {
  let hash = basis;
  for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), prime);
  return hash >>> 0;
}
