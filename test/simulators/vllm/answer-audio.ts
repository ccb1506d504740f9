import { createHash } from 'node:crypto';
import { chatTextShape } from '../common/choice-shapes.js';
import { tokenPieces } from '../common/reply-text.js';
import { begin, sendJson } from '../common/reply-writer.js';
import { type Generation, sendGeneration } from '../common/send-generation.js';
import { badRequest, engineDead, errorBody, VllmError } from './errors.js';
import { wireFaults } from './faults.js';
import { type Exchange, requireRunner, servedModel, submit } from './serving.js';

/** What a second of sound comes to, in a file of 16 kHz and 16 bits. */
const BYTES_PER_SECOND = 32_000;
const TOKENS_PER_SECOND = 50;
const FORMATS: ReadonlySet<string> = new Set(['json', 'text', 'srt', 'verbose_json', 'vtt']);

/** `POST /v1/audio/transcriptions`. */
export function answerTranscription(exchange: Exchange): Promise<void> {
  return answer(exchange, 'Transcriptions', 'hears');
}

/** `POST /v1/audio/translations`. */
export function answerTranslation(exchange: Exchange): Promise<void> {
  return answer(exchange, 'Translations', 'translates');
}

/** The text says who heard which bytes: a file that was changed on its way shows itself. */
async function answer(exchange: Exchange, api: string, verb: string): Promise<void> {
  const { settings, engine, response, fault } = exchange;
  requireRunner(settings, 'speech', api);
  const form = await readForm(exchange);
  const model = servedModel(settings, textOf(form, 'model'));
  const file = form.get('file');
  if (!(file instanceof File)) throw unprocessable("[{'type': 'missing', 'loc': ('body', 'file')}]");
  const format = textOf(form, 'response_format') ?? 'json';
  if (!FORMATS.has(format)) throw badRequest(`response_format ${format} is not supported`, 'response_format');
  const bytes = Buffer.from(await file.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const text = `${settings.name} ${verb} ${bytes.length} bytes of ${file.name}, ${sha256}.`;
  const pieces = tokenPieces(text);
  const seconds = Math.max(1, Math.ceil(bytes.length / BYTES_PER_SECOND));
  const promptTokens = seconds * TOKENS_PER_SECOND;
  const sequence = submit(exchange, { prompt: sha256, promptTokens, outputTokens: pieces.length });
  const produce = (onToken: (index: number) => Promise<boolean>): Promise<boolean> =>
    engine.run(sequence, 'stop', onToken);
  if (isTrue(form, 'stream')) {
    const broken = { body: errorBody(engineDead(), settings.flatErrors) };
    await sendGeneration(
      response,
      streamOf(exchange, model, pieces, promptTokens, isTrue(form, 'stream_include_usage')),
      produce,
      fault?.kind === 'errorInStream'
        ? { errorInStream: { afterPieces: fault.afterChunks, ...broken } }
        : wireFaults(fault),
    );
    return;
  }
  if (!(await produce(async () => true))) return;
  if (format === 'text' || format === 'srt' || format === 'vtt') {
    const type = format === 'vtt' ? 'text/vtt' : 'text/plain';
    begin(response, 200, { 'content-type': `${type}; charset=utf-8` });
    response.end(format === 'text' ? `${text}\n` : `1\n00:00:00,000 --> 00:00:01,000\n${text}\n`);
    return;
  }
  const verbose = { duration: String(seconds), language: 'en', text, segments: null, words: null };
  const body = format === 'verbose_json' ? verbose : { text, usage: { type: 'duration', seconds } };
  await sendJson(response, 200, body, { faults: wireFaults(fault) });
}

function streamOf(
  { settings }: Exchange,
  model: string,
  pieces: readonly string[],
  promptTokens: number,
  includesUsage: boolean,
): Generation {
  return {
    envelope: { id: 'trsc-1', created: Math.floor(settings.clock.nowMs() / 1000), model },
    objects: { whole: 'transcription', chunk: 'transcription.chunk' },
    shape: chatTextShape(),
    ...{ pieces, finishReason: 'stop', stream: true, nullUsage: false, headers: {} },
    usageInStream: includesUsage ? 'last' : 'none',
    usage: (completionTokens) => ({
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    }),
  };
}

/** By the runtime's own reader of forms, which is not the gateway's. */
async function readForm({ request, body }: Exchange): Promise<FormData> {
  const type = request.headers['content-type'] ?? '';
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  } catch {
    throw badRequest('There was an error parsing the body');
  }
}

/** Of several fields of a name the last one counts, as with Starlette. */
function textOf(form: FormData, name: string): string | null {
  const value = form.getAll(name).at(-1);
  return typeof value === 'string' ? value : null;
}

function isTrue(form: FormData, name: string): boolean {
  return ['true', '1'].includes(textOf(form, name)?.toLowerCase() ?? '');
}

function unprocessable(message: string): VllmError {
  return new VllmError(422, 'BadRequestError', message);
}
