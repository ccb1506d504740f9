import type { ServerResponse } from 'node:http';
import { KEPT_BODY_BYTES, type KeptBody, type KeptText } from './kept-body.js';

/** Listens to one request of a key that asks for its bodies; hands on what was said when the response is over. */
export class BodyCapture {
  readonly #request = new Head();
  readonly #answer = new Head();
  #endedAtMs: number | null = null;

  /**
   * @param nowMs where the exchange told no end: its client left before
   */
  constructor(
    response: ServerResponse,
    asked: { readonly requestId: string; readonly keyId: string },
    keep: (body: KeptBody) => void,
    nowMs: () => number,
  ) {
    this.#listenTo(response);
    response.once('close', () => {
      const endedAtMs = this.#endedAtMs ?? nowMs();
      keep({ ...asked, endedAtMs, request: this.#request.text(), answer: this.#answer.text() });
    });
  }

  /** As it came from the client. */
  requestBody(bytes: Buffer): void {
    this.#request.add(bytes);
  }

  /** So many bytes more, which are not at hand. */
  requestRest(bytes: number): void {
    this.#request.skip(bytes);
  }

  /** The time that the request's row in the log has, by which the body is found again. */
  ended(atMs: number): void {
    this.#endedAtMs = atMs;
  }

  /** On this one response: everybody else's pay nothing for it. */
  #listenTo(response: ServerResponse): void {
    for (const method of ['write', 'end'] as const) {
      const original = response[method];
      const listening = (...args: unknown[]): unknown => {
        const [chunk, encoding] = args;
        if (chunk instanceof Uint8Array) this.#answer.add(chunk);
        else if (typeof chunk === 'string') {
          this.#answer.add(Buffer.from(chunk, encoding === 'latin1' ? encoding : 'utf8'));
        }
        return Reflect.apply(original, response, args);
      };
      Object.defineProperty(response, method, { value: listening, configurable: true, writable: true });
    }
  }
}

/** The first bytes of what comes by. */
class Head {
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #sizeBytes = 0;

  add(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    const room = KEPT_BODY_BYTES - this.#keptBytes;
    if (room <= 0) return;
    // A copy: whoever owns these bytes writes over them.
    const head = Buffer.from(bytes.subarray(0, room));
    this.#kept.push(head);
    this.#keptBytes += head.length;
  }

  /** Nothing is added behind it. */
  skip(bytes: number): void {
    this.#sizeBytes += bytes;
  }

  text(): KeptText {
    const text = new TextDecoder().decode(Buffer.concat(this.#kept));
    return { text, sizeBytes: this.#sizeBytes, cut: this.#sizeBytes > this.#keptBytes };
  }
}
