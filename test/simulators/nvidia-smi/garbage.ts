/** Lines that are no rows: cut ones, binary, too many columns, one that is far too long, text of another program. */
export function garbageText(tick: number): string {
  const kinds = [
    'GPU-5a1ef0b0-0000-40',
    '\u0000\u0001\ufffd\u001b[31m\u0007, , ,,',
    Array.from({ length: 60 }, (_, index) => index).join(', '),
    'x'.repeat(200_000),
    'Segmentation fault (core dumped)',
    'NaN, -1, 1e999, Infinity, 0x, 99999999999999999999, , ,',
    '',
  ];
  return `${kinds[tick % kinds.length]}\n`;
}
