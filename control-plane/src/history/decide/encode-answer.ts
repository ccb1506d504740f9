import type { TelemetryAnswer } from '../telemetry-answer.js';
import { JsonBytes } from './json-bytes.js';
import { nameThrottleReasons } from './name-throttle-reasons.js';
import { type SeriesColumns, VALUES_PER_FIELD } from './point-table.js';
import { type SeriesKind, seriesKinds } from './telemetry-fields.js';

/** What is the same in every point, or in many. */
const piece = piecesOf({
  nothing: '',
  comma: ',',
  null: 'null',
  open: '{',
  end: '}',
  atMs: '{"atMs":',
  onTime: ',"backfilled":false,"host":',
  backfilled: ',"backfilled":true,"host":',
  gpus: ',"gpus":{',
  replicas: '},"replicas":{',
  pointEnd: '}}',
  cardValues: '{"values":',
  throttleReasons: ',"throttleReasons":',
  min: ',"min":',
  max: ',"max":',
  last: ',"last":',
});

/** About what a point takes without its series, what a series without its values, and a number. */
const POINT_BYTES = 128;
const SERIES_BYTES = 64;
const NUMBER_BYTES = 12;

interface Series {
  readonly columns: SeriesColumns;
  readonly name: Uint8Array;
  /** Of each field, all that stands before its first value. */
  readonly fields: readonly Uint8Array[];
}

/** By kind; the host has one at the most. */
type AllSeries = Readonly<Record<SeriesKind, readonly Series[]>>;

/**
 * An answer as JSON, in the form of `hostTelemetrySchema`. Missing stays missing: all four values of a field are `null` where
 * no sample of the point had it. It is put together by hand, since the objects that it would be made of cost more than all
 * that is done for it before.
 */
export function encodeAnswer(answer: TelemetryAnswer): Uint8Array {
  const { host, fromMs, toMs, grid, resolution, notes, stretches, columns } = answer;
  const head = JSON.stringify({ host, fromMs, toMs, stepMs: grid.stepMs, resolution, notes, stretches });
  const series: AllSeries = {
    host: seriesOf(columns, 'host'),
    gpu: seriesOf(columns, 'gpu'),
    replica: seriesOf(columns, 'replica'),
  };
  const out = new JsonBytes(head.length + POINT_BYTES + grid.count * pointBytes(series));
  out.text(`${head.slice(0, -1)},"points":[`);
  writePoints(out, answer, series);
  out.text(']}');
  return out.bytes();
}

function pointBytes(series: AllSeries): number {
  let bytes = POINT_BYTES;
  for (const { name, fields } of seriesKinds.flatMap((kind) => series[kind])) {
    bytes += SERIES_BYTES + name.length;
    for (const field of fields) bytes += field.length + VALUES_PER_FIELD * (NUMBER_BYTES + piece.last.length);
  }
  return bytes;
}

function writePoints(out: JsonBytes, { grid, states }: TelemetryAnswer, series: AllSeries): void {
  const [host] = series.host;
  const stateTexts = new Map(
    [...new Set(states)].map((state) => [state, bytesOf(`,"state":"${state}","samples":`)]),
  );
  const reasonTexts = new Map<number, Uint8Array>();
  for (let point = 0; point < grid.count; point += 1) {
    const samples = host?.columns.samples[point] ?? 0;
    out.piece(point === 0 ? piece.nothing : piece.comma);
    out.piece(piece.atMs);
    out.number(grid.startMs + point * grid.stepMs);
    out.piece(stateTexts.get(states[point] ?? 'silent') ?? piece.null);
    out.number(samples);
    out.piece((host?.columns.backfilled[point] ?? 0) > 0 ? piece.backfilled : piece.onTime);
    if (host && samples > 0) writeValues(out, host, point);
    else out.piece(piece.null);
    out.piece(piece.gpus);
    writeEach(out, series.gpu, point, (card) => writeCard(out, card, point, reasonTexts));
    out.piece(piece.replicas);
    writeEach(out, series.replica, point, (replica) => writeValues(out, replica, point));
    out.piece(piece.pointEnd);
  }
}

/** Those that had samples in this point, by name. */
function writeEach(
  out: JsonBytes,
  all: readonly Series[],
  point: number,
  write: (series: Series) => void,
): void {
  let isFirst = true;
  for (const series of all) {
    if (!((series.columns.samples[point] ?? 0) > 0)) continue;
    if (!isFirst) out.piece(piece.comma);
    isFirst = false;
    out.piece(series.name);
    write(series);
  }
}

function writeCard(out: JsonBytes, card: Series, point: number, texts: Map<number, Uint8Array>): void {
  out.piece(piece.cardValues);
  writeValues(out, card, point);
  out.piece(piece.throttleReasons);
  const mask = card.columns.bits[point] ?? -1;
  let reasons = mask < 0 ? piece.null : texts.get(mask);
  if (!reasons) {
    reasons = bytesOf(JSON.stringify(nameThrottleReasons(mask)));
    texts.set(mask, reasons);
  }
  out.piece(reasons);
  out.piece(piece.end);
}

function writeValues(out: JsonBytes, { fields, columns: { values } }: Series, point: number): void {
  if (fields.length === 0) out.piece(piece.open);
  let at = point * fields.length * VALUES_PER_FIELD;
  for (let field = 0; field < fields.length; field += 1, at += VALUES_PER_FIELD) {
    out.piece(fields[field] as Uint8Array);
    out.number(values[at] as number);
    out.piece(piece.min);
    out.number(values[at + 1] as number);
    out.piece(piece.max);
    out.number(values[at + 2] as number);
    out.piece(piece.last);
    out.number(values[at + 3] as number);
    out.piece(piece.end);
  }
  out.piece(piece.end);
}

/** The host is told of whether its fields are asked for or not; of others nothing else is known. */
function seriesOf(all: readonly SeriesColumns[], kind: SeriesKind): Series[] {
  return all
    .filter((columns) => columns.kind === kind && (kind === 'host' || columns.fields.length > 0))
    .map((columns) => ({
      columns,
      name: bytesOf(`${JSON.stringify(columns.name)}:`),
      fields: columns.fields.map((field, index) => bytesOf(`${index === 0 ? '{' : ','}"${field}":{"avg":`)),
    }));
}

function piecesOf<Name extends string>(texts: Readonly<Record<Name, string>>): Record<Name, Uint8Array> {
  const pairs = Object.entries<string>(texts).map(([name, text]) => [name, bytesOf(text)]);
  return Object.fromEntries(pairs) as Record<Name, Uint8Array>;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
