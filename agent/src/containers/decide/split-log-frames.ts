/** A part of what a container wrote; lines may span several. */
export interface LogPiece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/**
 * Where in a log's stream we are. Without a terminal, engines send frames: 1 byte stream, 3 bytes zero, 4 bytes
 * length, big end first; with one they send what was written, raw.
 */
export interface FrameRest {
  readonly framing: 'unknown' | 'multiplexed' | 'raw';
  /** The beginning of a header, at most 7 bytes. */
  readonly header: Uint8Array;
  readonly stream: LogPiece['stream'];
  /** Of the frame that was begun. */
  readonly bytesLeft: number;
}

const NOTHING = new Uint8Array(0);
const HEADER_BYTES = 8;

export const noFrameRest: FrameRest = { framing: 'unknown', header: NOTHING, stream: 'stdout', bytesLeft: 0 };

/** Takes the next bytes. A header that cannot be one is text: from there on the stream counts as raw. */
export function splitLogFrames(
  rest: FrameRest,
  chunk: Uint8Array,
): { readonly pieces: readonly LogPiece[]; readonly rest: FrameRest } {
  const pieces: LogPiece[] = [];
  let { framing, stream, bytesLeft } = rest;
  let bytes = rest.header.length === 0 ? chunk : join(rest.header, chunk);
  while (bytes.length > 0) {
    if (framing === 'raw') {
      pieces.push({ stream: 'stdout', bytes });
      bytes = NOTHING;
    } else if (bytesLeft > 0) {
      pieces.push({ stream, bytes: bytes.subarray(0, bytesLeft) });
      const taken = Math.min(bytesLeft, bytes.length);
      bytesLeft -= taken;
      bytes = bytes.subarray(taken);
    } else if (!isHeaderSoFar(bytes)) {
      framing = 'raw';
    } else if (bytes.length < HEADER_BYTES) {
      // A copy: the chunk may be a large buffer that this would keep alive.
      return { pieces, rest: { framing, header: bytes.slice(), stream, bytesLeft } };
    } else {
      framing = 'multiplexed';
      stream = bytes[0] === 2 ? 'stderr' : 'stdout';
      bytesLeft = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4);
      bytes = bytes.subarray(HEADER_BYTES);
    }
  }
  return { pieces, rest: { framing, header: NOTHING, stream, bytesLeft } };
}

/** What was held back for a header that never became whole. */
export function endLogFrames(rest: FrameRest): readonly LogPiece[] {
  const isText = rest.framing === 'unknown' && rest.header.length > 0;
  return isText ? [{ stream: 'stdout', bytes: rest.header }] : [];
}

function isHeaderSoFar(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 3) <= 2 && bytes.subarray(1, 4).every((byte) => byte === 0);
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
