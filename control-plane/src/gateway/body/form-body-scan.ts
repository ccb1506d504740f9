import type { GatewayError } from '../decide/error-table.js';
import { formScanner, peekForm } from '../decide/peek-form.js';
import { planRewrite } from '../decide/rewrite-body.js';
import { MultipartScanner } from '../decide/scan-multipart.js';
import type { BodyScan, ScannedBody } from './body-scan.js';

/** A form that is too large to hold: its fields may stand behind its file. */
export class FormBodyScan implements BodyScan {
  readonly #scanner: MultipartScanner | GatewayError;

  constructor(contentType: string | undefined) {
    this.#scanner = formScanner(contentType);
  }

  push(chunk: Uint8Array): GatewayError | null {
    const scanner = this.#scanner;
    if (!(scanner instanceof MultipartScanner)) return scanner;
    scanner.push(chunk);
    if (!scanner.isFaulty) return null;
    const peek = peekForm(scanner.end());
    return peek.ok ? null : peek.error;
  }

  end(): ScannedBody | GatewayError {
    const scanner = this.#scanner;
    if (!(scanner instanceof MultipartScanner)) return scanner;
    const peek = peekForm(scanner.end());
    if (!peek.ok) return peek.error;
    const { request } = peek;
    return { request, planRewrite: (servedModel) => planRewrite(NO_BYTES, request, servedModel) };
  }
}

/** A form is rewritten by where its parts stand, whatever is in them. */
const NO_BYTES = new Uint8Array(0);
