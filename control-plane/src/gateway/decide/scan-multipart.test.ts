import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryOf, type FormScan, MultipartScanner } from './scan-multipart.js';

const BOUNDARY = '----aud io7';

function scan(body: Buffer, cuts: readonly number[] = []): FormScan {
  const scanner = new MultipartScanner(BOUNDARY, ['model', 'stream']);
  const points = [...new Set([0, ...cuts, body.length])].sort((one, other) => one - other);
  for (const [index, point] of points.slice(1).entries()) scanner.push(body.subarray(points[index], point));
  return scanner.end();
}

interface Part {
  readonly name: string;
  readonly content: Buffer;
  readonly isFile?: boolean;
}

const form = (parts: readonly Part[], before = '', after = ''): Buffer =>
  Buffer.concat([
    Buffer.from(before),
    ...parts.flatMap(({ name, content, isFile = false }) => {
      const file = isFile ? '; filename="a.wav"\r\nContent-Type: audio/wav' : '';
      const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
      return [Buffer.from(head), content, Buffer.from('\r\n')];
    }),
    Buffer.from(`--${BOUNDARY}--${after}`),
  ]);
const text = (name: string, content: string): Part => ({ name, content: Buffer.from(content) });
const file = (content: Buffer): Part => ({ name: 'file', content, isFile: true });

describe('MultipartScanner', () => {
  it('finds the model behind the file, and before it, and twice', () => {
    const body = form([
      text('model', 'one'),
      file(Buffer.from([13, 10, 0, 45, 45])),
      text('model', 'zwei–2'),
    ]);
    const found = scan(body);
    if (!found.ok) throw new Error(found.expected);
    expect(found.parts.map(({ name, isFile, text: kept }) => [name, isFile, kept])).toEqual([
      ['model', false, 'one'],
      ['file', true, null],
      ['model', false, 'zwei–2'],
    ]);
    expect(found.parts.map(({ start, end }) => body.subarray(start, end).toString())).toEqual([
      'one',
      '\r\n\0--',
      'zwei–2',
    ]);
  });

  it('finds the same parts wherever the body is cut, whatever is in them', () => {
    const hostile = fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          '--',
          `\r\n--`,
          `--${BOUNDARY}`,
          `\r\n--${BOUNDARY.slice(0, -1)}`,
          'x',
          '\0',
        ),
        {
          maxLength: 8,
        },
      )
      .map((pieces) => Buffer.from(pieces.join('')))
      .filter((content) => !`\r\n${content.toString('latin1')}\r\n`.includes(`\r\n--${BOUNDARY}`));
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    const part = fc.record({
      name: fc.constantFrom('model', 'file', 'language', 'stream'),
      content: fc.oneof(hostile, bytes),
      isFile: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 5 }),
        fc.constantFrom('', 'preamble\r\n', '\r\n'),
        fc.constantFrom('', '\r\n', '\r\nepilogue --'),
        fc.array(fc.nat(), { maxLength: 8 }),
        (parts, before, after, cuts) => {
          const body = form(parts, before, after);
          const found = scan(
            body,
            cuts.map((cut) => cut % body.length),
          );
          if (!found.ok) throw new Error(`${found.at}: ${found.expected}`);
          expect(found.parts.map(({ name, isFile }) => ({ name, isFile }))).toEqual(
            parts.map(({ name, isFile }) => ({ name, isFile })),
          );
          found.parts.forEach(({ start, end, text: kept }, index) => {
            const content = parts[index]?.content ?? Buffer.alloc(0);
            expect(body.subarray(start, end)).toEqual(content);
            if (kept !== null) expect(kept).toBe(content.toString('utf8'));
          });
          expect(scan(body)).toEqual(found);
        },
      ),
    );
  });

  it('tells the same fault at the same byte wherever the body is cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            `--${BOUNDARY}`,
            '\r\n',
            '\r',
            '\n',
            '--',
            ' ',
            'x',
            'Content-Disposition: form-data; name=a\r\n\r\n',
          ),
          {
            maxLength: 12,
          },
        ),
        fc.array(fc.nat(), { maxLength: 6 }),
        (pieces, cuts) => {
          const body = Buffer.from(pieces.join(''));
          expect(
            scan(
              body,
              cuts.map((cut) => (body.length === 0 ? 0 : cut % body.length)),
            ),
          ).toEqual(scan(body));
        },
      ),
    );
  });

  const head = `--${BOUNDARY}\r\n`;
  const disposition = 'Content-Disposition: form-data; name="a"\r\n';
  it.each([
    ['nothing', '', 0, 'the first boundary'],
    ['JSON', '{"model":"a"}', 13, 'the first boundary'],
    ['another boundary', '--other\r\n', 9, 'the first boundary'],
    ['a part without its end', `${head}${disposition}\r\nabc`, 62, 'the closing boundary'],
    ['half a closing boundary', `--${BOUNDARY}-`, 14, 'the last "-"'],
    ['a letter behind a boundary', `--${BOUNDARY}x`, 13, 'the end of the line'],
    ['a blank behind a boundary', `--${BOUNDARY} \r\n`, 13, 'the end of the line'],
    ['a bare line feed behind a boundary', `--${BOUNDARY}\n`, 13, 'the end of the line'],
    ['a bare line feed in the headers', `${head}A: b\nC: d\r\n\r\n`, 19, 'a carriage return'],
    ['a bare carriage return in the headers', `${head}A: b\rC`, 20, 'a line feed'],
    ['a part without a name', `${head}Content-Disposition: form-data\r\n\r\n`, 48, 'a name'],
    ['a part without a disposition', `${head}\r\n`, 16, 'a name'],
    ['an attachment', `${head}Content-Disposition: attachment; name="a"\r\n\r\n`, 59, 'a name'],
    [
      'a part with two dispositions',
      `${head}${disposition}${disposition}\r\n`,
      100,
      'one "Content-Disposition',
    ],
    [
      'a part with two names',
      `${head}Content-Disposition: form-data; name="a"; name="model"\r\n\r\n`,
      72,
      'a name',
    ],
  ])('refuses %s, and says where', (_, body, at, expected) => {
    const found = scan(Buffer.from(body));
    expect(found).toMatchObject({ ok: false, at });
    expect(found).toHaveProperty('expected', expect.stringContaining(expected));
  });

  it('is bounded: headers, parts, what it keeps', () => {
    const long = Buffer.from(`${head}A: ${'x'.repeat(9_000)}`);
    expect(scan(long)).toMatchObject({ ok: false, expected: expect.stringContaining('8192 bytes') });
    expect(scan(form(Array.from({ length: 256 }, () => text('a', ''))))).toMatchObject({ ok: true });
    expect(scan(form(Array.from({ length: 257 }, () => text('a', ''))))).toMatchObject({
      ok: false,
      expected: expect.stringContaining('256 parts'),
    });
    const kept = scan(form([text('model', 'm'.repeat(10_000))]));
    expect(kept.ok && kept.parts[0]?.text?.length).toBe(4_096);
  });

  it('says early that the rest need not be sent', () => {
    const scanner = new MultipartScanner(BOUNDARY, []);
    scanner.push(Buffer.from(`--${BOUNDARY}x`));
    expect(scanner.isFaulty).toBe(true);
  });

  it.each([
    ['form-data; name=model', 'model', false],
    ['form-data; name="a\\"b"', 'a"b', false],
    ['FORM-DATA;filename*=utf-8\'\'x ; NAME="model"', 'model', true],
    ['form-data; filename="name=x; name=\\"y\\""; name="model"', 'model', true],
  ])('reads %s', (value, name, isFile) => {
    const body = Buffer.from(`${head}content-disposition: ${value}\r\n\r\n\r\n--${BOUNDARY}--`);
    expect(scan(body)).toMatchObject({ ok: true, parts: [{ name, isFile, start: expect.any(Number) }] });
  });
});

describe('boundaryOf', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b:c"', 'a b:c'],
    [
      'multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    ],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/form-data; boundary="a "', undefined],
    ['multipart/form-data; boundary=ä', undefined],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, undefined],
    ['multipart/mixed; boundary=abc', null],
    ['application/json', null],
    [undefined, null],
  ])('of %s is %s', (contentType, boundary) => {
    expect(boundaryOf(contentType)).toBe(boundary);
  });
});
