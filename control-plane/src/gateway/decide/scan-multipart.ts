/** One part of a form, by where its bytes stand in the body. */
export interface FormPart {
  readonly name: string;
  readonly isFile: boolean;
  /** Of its content: `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** The content of one whose name was asked for, as far as it is kept; `null` of all others. */
  readonly text: string | null;
}

export type FormScan =
  | { readonly ok: true; readonly parts: readonly FormPart[] }
  | {
      readonly ok: false;
      /** Byte of the body at which it stops being a form. */
      readonly at: number;
      /** What was expected there, for a sentence. */
      readonly expected: string;
    };

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

const MAX_PARTS = 256;
/** Of all headers of one part. */
const MAX_HEADER_BYTES = 8 * 1024;
/** What is kept of a part that was asked for. Names and switches are shorter. */
const MAX_TEXT_BYTES = 4 * 1024;

type State = 'preamble' | 'boundary' | 'closing' | 'lineEnd' | 'headers' | 'content' | 'epilogue';

const EXPECTED: Readonly<Record<State, string>> = {
  preamble: 'the first boundary',
  boundary: 'the end of the line behind a boundary',
  closing: 'the last "-" of the closing boundary',
  lineEnd: 'the line feed behind a boundary',
  headers: 'the empty line behind the headers of a part',
  content: 'the closing boundary',
  epilogue: 'nothing more',
};

/**
 * Finds the parts of a `multipart/form-data` body whose bytes come in any pieces, without holding them: the value of a
 * field may stand behind a file of megabytes. Stricter than the standard, which lets blanks stand behind a boundary and
 * a boundary begin like another: where parsers could differ, the body is refused.
 */
export class MultipartScanner {
  /** A line's end, two dashes and the boundary. Its CR occurs nowhere else in it. */
  readonly #delimiter: Buffer;
  readonly #captured: ReadonlySet<string>;
  readonly #parts: FormPart[] = [];
  #state: State = 'preamble';
  /** Bytes of the delimiter that were just seen. A body may begin with its boundary, as if a line had ended. */
  #matched = 2;
  /** Of what came before this piece. */
  #offset = 0;
  #headers: number[] = [];
  #name = '';
  #isFile = false;
  #start = 0;
  #text: number[] | null = null;
  #fault: Extract<FormScan, { ok: false }> | null = null;

  /**
   * @param boundary as the content type names it
   * @param captured names of the parts whose content is wanted
   */
  constructor(boundary: string, captured: readonly string[]) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#captured = new Set(captured);
  }

  /** Something is wrong with what came so far: the rest need not be sent. */
  get isFaulty(): boolean {
    return this.#fault !== null;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#fault === null && this.#state !== 'epilogue') {
      at =
        this.#state === 'preamble' || this.#state === 'content'
          ? this.#seekDelimiter(chunk, at)
          : this.#takeByte(chunk[at] as number, at);
    }
    this.#offset += chunk.length;
  }

  /** To be called once, behind the last piece. */
  end(): FormScan {
    if (this.#fault !== null) return this.#fault;
    if (this.#state !== 'epilogue') return { ok: false, at: this.#offset, expected: EXPECTED[this.#state] };
    return { ok: true, parts: this.#parts };
  }

  /** @returns the index behind the delimiter, or the chunk's length */
  #seekDelimiter(chunk: Uint8Array, from: number): number {
    const delimiter = this.#delimiter;
    let at = from;
    while (at < chunk.length) {
      if (this.#matched === 0) {
        const next = chunk.indexOf(CR, at);
        const until = next < 0 ? chunk.length : next;
        this.#keep(chunk, at, until);
        if (next < 0) return chunk.length;
        this.#matched = 1;
        at = next + 1;
      } else if (chunk[at] === delimiter[this.#matched]) {
        at++;
        this.#matched++;
        if (this.#matched === delimiter.length) {
          this.#endContent(this.#offset + at - delimiter.length);
          return at;
        }
      } else {
        this.#keep(delimiter, 0, this.#matched);
        this.#matched = 0;
      }
    }
    return at;
  }

  #takeByte(byte: number, at: number): number {
    switch (this.#state) {
      case 'boundary':
        if (byte === CR) this.#state = 'lineEnd';
        else if (byte === DASH) this.#state = 'closing';
        else this.#fail(at);
        break;
      case 'closing':
        if (byte === DASH) this.#state = 'epilogue';
        else this.#fail(at);
        break;
      case 'lineEnd':
        if (byte === LF) this.#beginHeaders(at);
        else this.#fail(at);
        break;
      default:
        this.#takeHeaderByte(byte, at);
    }
    return at + 1;
  }

  #beginHeaders(at: number): void {
    if (this.#parts.length >= MAX_PARTS) this.#fail(at, `no more than ${MAX_PARTS} parts`);
    this.#state = 'headers';
    this.#headers = [];
  }

  #takeHeaderByte(byte: number, at: number): void {
    const headers = this.#headers;
    headers.push(byte);
    const { length } = headers;
    if (byte !== LF) {
      if (length >= MAX_HEADER_BYTES)
        this.#fail(at, `at most ${MAX_HEADER_BYTES} bytes of headers of a part`);
      else if (headers[length - 2] === CR) this.#fail(at, 'a line feed behind the carriage return');
      return;
    }
    if (headers[length - 2] !== CR) {
      this.#fail(at, 'a carriage return before the line feed');
      return;
    }
    if (length === 2 || (headers[length - 4] === CR && headers[length - 3] === LF)) this.#beginContent(at);
  }

  #beginContent(at: number): void {
    const disposition = readDisposition(Buffer.from(this.#headers).toString('utf8'));
    if (disposition === null) {
      this.#fail(at, 'a part with one "Content-Disposition: form-data" and a name');
      return;
    }
    this.#name = disposition.name;
    this.#isFile = disposition.isFile;
    this.#start = this.#offset + at + 1;
    this.#text = this.#captured.has(this.#name) ? [] : null;
    this.#state = 'content';
    this.#matched = 0;
  }

  /** Of an empty content the end is its start; the delimiter's line end is that of the headers in no case. */
  #endContent(end: number): void {
    if (this.#state === 'content') {
      const text = this.#text === null ? null : Buffer.from(this.#text).toString('utf8');
      this.#parts.push({ name: this.#name, isFile: this.#isFile, start: this.#start, end, text });
    }
    this.#state = 'boundary';
    this.#matched = 0;
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const text = this.#text;
    if (text === null || this.#state !== 'content') return;
    for (let at = from; at < to && text.length < MAX_TEXT_BYTES; at++) text.push(bytes[at] as number);
  }

  #fail(at: number, expected: string = EXPECTED[this.#state]): void {
    this.#fault ??= { ok: false, at: this.#offset + at, expected };
  }
}

const PARAMETER = /;\s*([a-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/gi;

/** What the headers of a part say of it; `null` where it is no field of a form, or says two things: which counts is its parser's choice. */
function readDisposition(headers: string): { readonly name: string; readonly isFile: boolean } | null {
  const lines = headers.split('\r\n').filter((each) => each.toLowerCase().startsWith('content-disposition:'));
  if (lines.length !== 1) return null;
  const value = lines[0]?.slice('content-disposition:'.length).trim() ?? '';
  if (!/^form-data\s*(;|$)/i.test(value)) return null;
  let name: string | null = null;
  let isFile = false;
  for (const [, key = '', quoted, bare] of value.matchAll(PARAMETER)) {
    const parameter = key.toLowerCase();
    if (parameter === 'name') {
      if (name !== null) return null;
      name = quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? null;
    } else if (parameter === 'filename' || parameter === 'filename*') isFile = true;
  }
  return name === null ? null : { name, isFile };
}

/**
 * The boundary that a content type names.
 *
 * @returns `null` where it is not `multipart/form-data`; `undefined` where it is, without a boundary as the standard has it
 */
export function boundaryOf(contentType: string | undefined): string | null | undefined {
  const value = contentType ?? '';
  if (value.split(';', 1)[0]?.trim().toLowerCase() !== 'multipart/form-data') return null;
  const found = /;\s*boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(value);
  const boundary = found?.[1] ?? found?.[2] ?? '';
  return BOUNDARY.test(boundary) ? boundary : undefined;
}

/** RFC 2046: at most 70 of these, the last of them no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
