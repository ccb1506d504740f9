import { type Clock, encodeFrame, type FrameBody, type ServerFrame } from '@ai-fabric/shared';

/** Puts bodies into numbered envelopes. */
export class FrameWriter {
  readonly #clock: Clock;
  #written = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  write<Type extends ServerFrame['type']>(type: Type, body: FrameBody<ServerFrame, Type>): string {
    this.#written += 1;
    const frame = { id: `s${this.#written}`, type, sentAtMs: this.#clock.nowMs(), body };
    // The compiler does not see that `type` and `body` belong together; the signature does.
    return encodeFrame(frame as ServerFrame);
  }
}
