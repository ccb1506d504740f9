import type { IncomingMessage } from 'node:http';

/** One request as it was received. */
export interface RecordedRequest {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bodyText: string;
}

/** The latest requests, oldest dropped first. */
export class RequestRecord {
  readonly #limit: number;
  #requests: RecordedRequest[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(request: RecordedRequest): void {
    if (this.#limit === 0) return;
    this.#requests.push(request);
    // Dropped in halves: shifting an array one by one costs more than the request itself.
    if (this.#requests.length >= this.#limit * 2) this.#requests = this.#requests.slice(-this.#limit);
  }

  get all(): readonly RecordedRequest[] {
    return this.#requests.slice(-this.#limit || this.#requests.length);
  }

  clear(): void {
    this.#requests = [];
  }
}

/** As `readBody`, in UTF-8. */
export async function readBodyText(request: IncomingMessage, limitBytes: number): Promise<string | null> {
  return (await readBody(request, limitBytes))?.toString('utf8') ?? null;
}

/**
 * Reads a whole body.
 *
 * @returns `null` when the peer hung up before its end
 * @throws Error when it is longer than `limitBytes`
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > limitBytes) throw new RangeError(`the body is longer than ${limitBytes} bytes`);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return null;
  }
  return Buffer.concat(parts);
}
