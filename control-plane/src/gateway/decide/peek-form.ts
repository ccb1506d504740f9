import { NO_NEEDS } from '../../router/needs.js';
import { type GatewayError, gatewayError } from './error-table.js';
import { MAX_MODEL_BYTES, MODEL_IS_NO_NAME, MODEL_MISSING, type Peek } from './peek-request.js';
import { boundaryOf, type FormPart, type FormScan, MultipartScanner } from './scan-multipart.js';

/** The fields of a form that the gateway reads. */
const FIELDS = ['model', 'stream'];
/** What vLLM's reader of forms takes for `true`. */
const TRUE: ReadonlySet<string> = new Set(['true', '1', 'on', 't', 'y', 'yes']);

/** @returns a scanner for a body of this content type, or why there can be none */
export function formScanner(contentType: string | undefined): MultipartScanner | GatewayError {
  const boundary = boundaryOf(contentType);
  if (boundary === null) {
    const what = contentType === undefined ? 'has no content type' : `is "${contentType.slice(0, 100)}"`;
    return gatewayError('unsupported_media_type', `The body ${what}; send audio as multipart/form-data.`);
  }
  if (boundary === undefined) {
    const message =
      'The content type lacks its boundary: multipart/form-data; boundary=… of 1 to 70 characters.';
    return gatewayError('invalid_multipart', message);
  }
  return new MultipartScanner(boundary, FIELDS);
}

/** As `peekRequest`, of a form whose parts were found. */
export function peekForm(scan: FormScan): Peek {
  if (!scan.ok) {
    const message = `The body is no form: at byte ${scan.at} ${scan.expected} was expected.`;
    return { ok: false, error: gatewayError('invalid_multipart', message) };
  }
  const models = scan.parts.filter(({ name }) => name === 'model');
  const model = models.at(-1);
  if (model === undefined) return MODEL_MISSING;
  const name = model.end - model.start <= MAX_MODEL_BYTES ? (model.text ?? '') : '';
  if (name === '' || name.includes('�')) return MODEL_IS_NO_NAME;
  return {
    ok: true,
    request: {
      model: name,
      stream: TRUE.has(textOf(scan.parts, 'stream').trim().toLowerCase()),
      wantsUsage: true,
      maxTokens: null,
      choices: 1,
      estimatedPromptTokens: null,
      promptBytes: null,
      needs: NO_NEEDS,
      previousResponseId: null,
      promptSpans: [],
      session: null,
      found: models.map(({ start, end }) => ({ name: 'model', start, end })),
      closeAt: null,
    },
  };
}

function textOf(parts: readonly FormPart[], name: string): string {
  return parts.findLast((part) => part.name === name)?.text ?? '';
}
