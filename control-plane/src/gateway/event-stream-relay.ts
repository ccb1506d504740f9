import type { AnswerSink, SinkHost } from './answer-sink.js';
import { ClientPipe } from './client-pipe.js';
import { type AttemptFailure, attemptFailure } from './decide/attempt-failure.js';
import type { Dialect, StreamReader } from './decide/dialects/dialect.js';
import { type GatewayError, gatewayError } from './decide/error-table.js';
import { renderErrorEvent } from './decide/render-error.js';
import { EventSplitter } from './decide/split-events.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

/**
 * Relays a stream event by event: each as soon as it is whole, its bytes as they came. Only the usage event is
 * withheld from a client that did not ask for it. An event that is not whole yet is held back, so that an error event
 * of ours never lands inside another. The head is sent with the first event: until then the request can go elsewhere.
 */
export class EventStreamRelay implements AnswerSink {
  readonly #host: SinkHost;
  readonly #withholdUsage: boolean;
  readonly #splitter = new EventSplitter();
  readonly #pipe: ClientPipe;
  /** Of the event that is not whole yet. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #committed = false;
  #isDone = false;
  #toldError = false;
  readonly #dialect: Dialect;
  readonly #reader: StreamReader;
  readonly #requestId: string;
  #events = 0;

  /** @param choices how many were asked for */
  constructor(host: SinkHost, withholdUsage: boolean, dialect: Dialect, choices: number, requestId: string) {
    this.#host = host;
    this.#withholdUsage = withholdUsage;
    this.#dialect = dialect;
    this.#reader = dialect.createReader(choices);
    this.#requestId = requestId;
    this.#pipe = new ClientPipe(host.response, host, host.isHeard);
  }

  get isWhole(): boolean {
    return this.#isDone;
  }

  data(chunk: Buffer): void {
    let sendFrom = 0;
    let from = 0;
    let events = 0;
    for (let end = this.#splitter.nextEnd(chunk, 0); end >= 0; end = this.#splitter.nextEnd(chunk, end)) {
      if (this.#partialBytes > 0) {
        this.#partial.push(chunk.subarray(0, end));
        const event = Buffer.concat(this.#partial);
        this.#partial = [];
        this.#partialBytes = 0;
        if (!this.#take(event, 0, event.length)) this.#write(event);
        sendFrom = end;
      } else if (this.#take(chunk, from, end)) {
        if (from > sendFrom) this.#write(chunk.subarray(sendFrom, from));
        sendFrom = end;
      }
      from = end;
      events += 1;
    }
    if (events > 0) {
      this.#events += events;
      this.#host.progressed(events);
    }
    if (from > sendFrom)
      this.#write(sendFrom === 0 && from === chunk.length ? chunk : chunk.subarray(sendFrom, from));
    if (from < chunk.length) this.#hold(chunk, from);
  }

  end(): void {
    if (this.#partialBytes > 0) this.#takeUnterminated();
    if (this.#isDone || this.#reader.isFinished) this.#finish();
    else this.failed(attemptFailure('truncated', `the stream ended without ${this.#dialect.lastEvent}`));
  }

  failed(failure: AttemptFailure): void {
    if (this.#isDone || this.#toldError) {
      this.#finish();
    } else if (!this.#committed) {
      this.#host.giveUp(failure);
    } else {
      this.#host.interrupted(failure);
      const message = `The engine's answer was interrupted (${failure.code}); what came before is all there is.`;
      this.breakOff(gatewayError('upstream_interrupted', message));
    }
  }

  breakOff(error: GatewayError): void {
    if (this.#isDone) this.#host.response.end();
    else {
      const { errors } = this.#dialect;
      this.#host.response.end(renderErrorEvent(errors, error, this.#requestId, this.#events));
    }
  }

  /** @returns whether the event in `[start, end)` is withheld from the client */
  #take(bytes: Buffer, start: number, end: number): boolean {
    const verdict = this.#reader.read(bytes, start, end);
    if (verdict === 'data') return false;
    if (verdict === 'usage') return this.#withholdUsage;
    if (verdict === 'done') this.#isDone = true;
    else this.#toldError = true;
    if (verdict !== 'error') this.#host.endWithin(GATEWAY_LIMITS.afterDoneMs);
    return false;
  }

  #write(bytes: Buffer): void {
    if (!this.#committed) {
      this.#committed = true;
      this.#host.commit(null);
    }
    this.#pipe.write(bytes);
  }

  #hold(chunk: Buffer, from: number): void {
    const rest = from === 0 ? chunk : chunk.subarray(from);
    this.#partial.push(rest);
    this.#partialBytes += rest.length;
    if (this.#partialBytes <= GATEWAY_LIMITS.eventBytes) return;
    this.#host.abort();
    this.failed(
      attemptFailure('answer_too_large', `an event of more than ${GATEWAY_LIMITS.eventBytes} bytes`),
    );
  }

  /** An engine may leave out the blank line behind its last event. */
  #takeUnterminated(): void {
    const event = Buffer.concat(this.#partial);
    const verdict = this.#reader.read(event, 0, event.length);
    if (verdict !== 'done' && verdict !== 'failed') return;
    if (verdict === 'done') this.#isDone = true;
    else this.#toldError = true;
    this.#write(event);
  }

  #finish(): void {
    if (this.#toldError)
      this.#host.interrupted(attemptFailure('status_500', 'the engine told an error in its stream'));
    else this.#host.succeed(this.#reader.usage(), this.#reader.answerId);
    this.#host.response.end();
  }
}
