import { type Needs, NO_NEEDS } from '../../router/needs.js';
import type { BodyShape } from '../decide/body-shapes.js';
import { type GatewayError, gatewayError } from '../decide/error-table.js';
import { findNeeds } from '../decide/find-needs.js';
import { JsonScanner, type StreamedScan } from '../decide/json-scanner.js';
import { describeScanFault, type PeekedRequest, peekRequest } from '../decide/peek-request.js';
import { planRewrite, type Splice } from '../decide/rewrite-body.js';
import type { FoundMember } from '../decide/scan-json-members.js';
import type { BodyScan, ScannedBody } from './body-scan.js';
import { Utf8Checker } from './utf8-checker.js';

type WholeScan = Extract<StreamedScan, { ok: true }>;

/**
 * JSON that is too large to hold. What the gateway reads of it is put together to a small body of its own, which is
 * then looked at as every other is.
 */
export class JsonBodyScan implements BodyScan {
  readonly #shape: BodyShape;
  readonly #scanner: JsonScanner;
  readonly #checker = new Utf8Checker();
  /** What the body's head tells of its needs: it is long, and the rest of a conversation seldom needs more. */
  #needs: Needs | null = null;

  constructor(shape: BodyShape) {
    this.#shape = shape;
    this.#scanner = new JsonScanner(shape.names);
  }

  push(chunk: Uint8Array): GatewayError | null {
    if (!this.#checker.push(chunk)) return notUtf8();
    if (!this.#scanner.push(chunk)) return faultOf(this.#scanner.end());
    this.#needs ??= findNeeds(chunk, this.#scanner.begun);
    return null;
  }

  end(): ScannedBody | GatewayError {
    const scan = this.#scanner.end();
    if (!this.#checker.end()) return notUtf8();
    if (!scan.ok) return describeScanFault(scan);
    const small = new SmallBody(scan);
    const peek = peekRequest(small.bytes, 0, this.#shape);
    if (!peek.ok) return peek.error;
    // Nothing more is known of the long members; bytes of images say nothing of tokens.
    const needs = peek.request.needs | (this.#needs ?? NO_NEEDS);
    const unknown = { estimatedPromptTokens: null, promptBytes: null, promptSpans: [] };
    const request = { ...peek.request, ...unknown, needs };
    return { request, planRewrite: (servedModel) => small.planRewrite(request, servedModel) };
  }
}

/** An object of the members that were found, in their order; a long value is stood for by an empty list. */
class SmallBody {
  readonly bytes: Buffer;
  readonly #closeAt: number;
  /** Where each value stands here, and where it stood. */
  readonly #places: { readonly start: number; readonly end: number; readonly original: FoundMember }[] = [];

  constructor({ found, closeAt }: WholeScan) {
    this.#closeAt = closeAt;
    const parts: Uint8Array[] = [];
    let length = 0;
    const add = (part: Uint8Array): void => {
      parts.push(part);
      length += part.length;
    };
    for (const original of found) {
      add(Buffer.from(`${length === 0 ? '{' : ','}"${original.name}":`));
      const start = length;
      add(original.value ?? LONG_VALUE);
      this.#places.push({ start, end: length, original });
    }
    add(Buffer.from(length === 0 ? '{}' : '}'));
    this.bytes = Buffer.concat(parts);
  }

  planRewrite(request: PeekedRequest, servedModel: string): Splice[] {
    return planRewrite(this.bytes, request, servedModel).map(({ start, end, text }) => {
      const place = this.#places.find((each) => start >= each.start && start < each.end);
      if (place === undefined) return { start: this.#closeAt, end: this.#closeAt, text };
      const shift = place.original.start - place.start;
      // A long value is shorter here.
      return { start: start + shift, end: end === place.end ? place.original.end : end + shift, text };
    });
  }
}

const LONG_VALUE = Buffer.from('[]');

function faultOf(scan: StreamedScan): GatewayError | null {
  return scan.ok ? null : describeScanFault(scan);
}

function notUtf8(): GatewayError {
  return gatewayError('invalid_json', 'The body is not UTF-8, which JSON must be.');
}
