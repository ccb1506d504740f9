/* HTTP/2 by hand (RFC 9113, RFC 7541), for peers that do not keep to it. */

const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM_AND_HEADERS = 0x5;

/** What a client says first: the preface, and settings of which it has none. */
export function clientPreface(): Buffer {
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
  ]);
}

const WINDOW_UPDATE = 8;
const INITIAL_WINDOW_SIZE = 4;
const LARGEST_WINDOW_BYTES = 2 ** 31 - 1;

/** The same of a client that lets as much be sent as there is. */
export function boundlessPreface(): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
  setting.writeUInt32BE(LARGEST_WINDOW_BYTES, 2);
  const more = Buffer.alloc(4);
  more.writeUInt32BE(LARGEST_WINDOW_BYTES - 65_535, 0);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, setting),
    frame(WINDOW_UPDATE, 0, 0, more),
  ]);
}

/** A whole `GET`. @param index of the client's streams, from 0 */
export function getRequest(index: number, authority: string, path: string): Buffer {
  // Of HPACK's static table: 2 is `:method: GET`, 6 `:scheme: http`; 1 and 4 are the names of the two others.
  const head = Buffer.concat([Buffer.from([0x82, 0x86]), literal(1, authority), literal(4, path)]);
  return frame(HEADERS, END_STREAM_AND_HEADERS, 2 * index + 1, head);
}

function literal(nameIndex: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([nameIndex, value.length]), Buffer.from(value)]);
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}
