import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelOf, type MetricSample, scanMetrics } from './scan-metrics.js';

function scan(text: string, ...wanted: string[]): MetricSample[] {
  const samples: MetricSample[] = [];
  scanMetrics(text, new Set(wanted), (sample) => samples.push(sample));
  return samples;
}

describe('samples of a metrics page', () => {
  it.each([
    ['a 1', [1]],
    ['a 1\n', [1]],
    ['a 1.5 1700000000', [1.5]],
    ['a{} 2', [2]],
    ['a{x="1"}3', [3]],
    ['a{x="1",} 4\r\n', [4]],
    ['a\t5', [5]],
    ['a 1e3\na +2\na -3\na .5\na 7.', [1000, 2, -3, 0.5, 7]],
    ['a{x="}"} 6', [6]],
    ['a{x="\\"} 9"} 7', [7]],
    ['a{x="{",y="=,"} 8', [8]],
    ['# TYPE a gauge\n#a 5\n\n\na 9', [9]],
  ])('%j holds %j', (text, values) => {
    expect(scan(text, 'a').map(({ value }) => value)).toEqual(values);
  });

  it.each([
    'a',
    'a ',
    'a NaN',
    'a +Inf',
    'a -Inf',
    'a x',
    'a 0x10',
    'a 1,5',
    'a{x="1" 5',
    'a{x="1 5',
    'a{ 5',
    'ab 5',
    ' a 5',
    'b{a="1"} 5',
  ])('%j holds none', (text) => {
    expect(scan(text, 'a')).toEqual([]);
  });

  it('are matched by their whole name', () => {
    expect(scan('a_b 1\na 2\nxa 3\na:b 4', 'a').map(({ value }) => value)).toEqual([2]);
  });

  it('never throw, whatever the page is', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a', '{', '}', '"', '\\', '=', '\n', ' ', '1', ','),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        for (const { value, labels } of scan(pieces.join(''), 'a', '', 'aa')) {
          expect(Number.isFinite(value)).toBe(true);
          labelOf(labels, 'a');
        }
      }),
    );
  });
});

describe('a page made to be slow', () => {
  // Two million characters: a scan that looks back or ahead for each line would outlast the test by hours.
  it.each([
    ['a 1\n', 500_000],
    ['\n', 0],
    ['#{\n', 0],
    ['a{', 0],
    ['a{x="', 0],
    ['{"\\', 0],
  ])('of nothing but %j is read in one go', (piece, samples) => {
    const page = piece.repeat(Math.floor(2_000_000 / piece.length));
    expect(scan(page, 'a')).toHaveLength(samples);
  });
});

describe('labels', () => {
  const labels = 'engine="0", model_name="a \\"b\\\\c\\n}",reason="capacity",empty=""';

  it.each([
    ['engine', '0'],
    ['model_name', 'a "b\\c\n}'],
    ['reason', 'capacity'],
    ['empty', ''],
    ['missing', null],
    ['name', null],
  ])('%s is %j', (name, value) => {
    expect(labelOf(labels, name)).toBe(value);
  });

  it.each(['', 'a', 'a=1', 'a="1', '=,', 'b="1"a="2'])('%j has none', (text) => {
    expect(labelOf(text, 'a')).toBeNull();
  });
});
