import type { ServerHttp2Stream } from 'node:http2';
import { endStream } from './refuse-stream.js';

/** One JSON value; what goes wrong is a 409 with its code and words. */
export async function answerJson(stream: ServerHttp2Stream, make: () => Promise<object>): Promise<void> {
  let status = 200;
  let value: object;
  try {
    value = await make();
  } catch (error) {
    status = 409;
    value = explainFailure(error);
  }
  if (stream.destroyed) return;
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.write(JSON.stringify(value));
  endStream(stream);
}

/** Both the model cache's and the container engine's errors have a code. */
export function explainFailure(error: unknown): { readonly code: string; readonly detail: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  return { code, detail: error instanceof Error ? error.message : String(error) };
}
