import type { ServerResponse } from 'node:http';

/** Ways in which the bytes of an answer go wrong on the wire. */
export interface WireFaults {
  /** Cut the connection once this many events went out. */
  readonly cutAfterEvents?: number;
  /** Cut the connection in the middle of a JSON body, or of an event. */
  readonly truncate?: boolean;
  /** Send every multi-byte character over two TCP segments. */
  readonly splitCharacters?: boolean;
}

const SPLIT_PAUSE_MS = 5;
const EVENTS_BEFORE_TRUNCATION = 2;

/** Sends a JSON body with its length. */
export async function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  options: { headers?: Record<string, string>; faults?: WireFaults } = {},
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(body), 'utf8');
  const faults = options.faults ?? {};
  begin(response, status, {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...options.headers,
  });
  if (faults.truncate || faults.cutAfterEvents !== undefined) {
    await write(response, bytes.subarray(0, Math.floor(bytes.length / 2)));
    cut(response);
    return;
  }
  if (faults.splitCharacters) await writeSplit(response, bytes);
  else response.write(bytes);
  response.end();
}

/** A stream of server-sent events. After the connection is gone, sending does nothing. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #faults: WireFaults;
  #sent = 0;

  constructor(response: ServerResponse, faults: WireFaults = {}) {
    this.#response = response;
    this.#faults = faults;
  }

  /** Sends the head at once: engines do so before the first token is there. */
  open(headers: Record<string, string> = {}): void {
    begin(this.#response, 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      ...headers,
    });
    this.#response.flushHeaders();
  }

  /** @returns false once the stream was cut */
  async send(data: unknown): Promise<boolean> {
    return this.#event(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  /** An event that is named by the `type` of its data. @returns false once the stream was cut */
  async sendTyped(data: { readonly type: string }): Promise<boolean> {
    return this.#event(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #event(event: string): Promise<boolean> {
    if (this.#response.destroyed) return false;
    if (this.#sent === this.#faults.cutAfterEvents) return this.#cut();
    if (this.#faults.truncate && this.#sent === EVENTS_BEFORE_TRUNCATION) {
      await write(this.#response, Buffer.from(event).subarray(0, event.length >> 1));
      return this.#cut();
    }
    this.#sent += 1;
    if (this.#faults.splitCharacters) await writeSplit(this.#response, Buffer.from(event));
    else this.#response.write(event);
    return true;
  }

  end(): void {
    if (!this.#response.destroyed) this.#response.end();
  }

  async #cut(): Promise<boolean> {
    // An empty write is called back after all that went before it reached the kernel.
    await write(this.#response, Buffer.alloc(0));
    cut(this.#response);
    return false;
  }
}

const cutResponses = new WeakSet<ServerResponse>();

/** Whether it was a fault that ended this answer, not the client. */
export function wasCutHere(response: ServerResponse): boolean {
  return cutResponses.has(response);
}

function cut(response: ServerResponse): void {
  cutResponses.add(response);
  response.destroy();
}

/** Writes the head as uvicorn does: without `Connection` and `Keep-Alive`, so clients get no hint of the idle limit. */
export function begin(response: ServerResponse, status: number, headers: Record<string, string>): void {
  if (response.headersSent) return;
  response.removeHeader('connection');
  response.writeHead(status, headers);
}

async function writeSplit(response: ServerResponse, bytes: Buffer): Promise<void> {
  let from = 0;
  for (let index = 0; index + 1 < bytes.length; index += 1) {
    // A lead byte of UTF-8: what follows it belongs to the same character.
    if (((bytes[index] ?? 0) & 0xc0) !== 0xc0) continue;
    await write(response, bytes.subarray(from, index + 1));
    from = index + 1;
    await new Promise((resolve) => setTimeout(resolve, SPLIT_PAUSE_MS));
  }
  await write(response, bytes.subarray(from));
}

function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else if (bytes.length === 0 && response.socket) response.socket.write(bytes, () => resolve());
    else response.write(bytes, () => resolve());
  });
}
