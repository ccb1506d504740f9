import fc from 'fast-check';
import { expect, it } from 'vitest';
import { needsOf } from '../../router/needs.js';
import { CHAT_BODY } from '../decide/body-shapes.js';
import { peekRequest } from '../decide/peek-request.js';
import { applySplices, planRewrite } from '../decide/rewrite-body.js';
import { JsonBodyScan } from './json-body-scan.js';

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])].sort(
    (one, other) => one - other,
  );
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point));
}

const value = fc.oneof(
  fc.constantFrom('"chat-fast"', 'true', 'false', 'null', '7', '-3', '{}', '[]', '"ü🌍"', '""', '{"a":1}'),
  fc.constantFrom('{"include_usage":true}', '{"include_usage":false}', '{ "x":1,"include_usage" : null }'),
  fc.constant(`"${'x'.repeat(5_000)}"`),
);
const name = fc.constantFrom(
  'model',
  'stream',
  'stream_options',
  'n',
  'max_tokens',
  'messages',
  'user',
  'mod\\u0065l',
);
const space = fc.constantFrom('', ' ', '\n\t');
const member = fc
  .tuple(name, value, space)
  .map(([key, text, gap]) => `${gap}"${key}"${gap}:${gap}${text}${gap}`);
const body = fc.tuple(fc.array(member, { maxLength: 7 }), space).map(([members, gap]) => {
  return Buffer.from(`${gap}{${members.join(',')}}${gap}`);
});

it('a body that is read as it comes is understood and rewritten as one that is held', () => {
  fc.assert(
    fc.property(body, fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
      const held = peekRequest(bytes, 0);
      const scan = new JsonBodyScan(CHAT_BODY);
      for (const chunk of cut(bytes, cuts)) expect(scan.push(chunk)).toBeNull();
      const scanned = scan.end();
      if (!held.ok) {
        expect(scanned).toEqual(held.error);
        return;
      }
      if ('code' in scanned) throw new Error(scanned.message);
      const { found: _found, closeAt: _closeAt, ...request } = held.request;
      const untold = { estimatedPromptTokens: null, promptBytes: null, promptSpans: [] };
      expect(scanned.request).toMatchObject({ ...request, ...untold });
      const rewrite = (splices: Parameters<typeof applySplices>[1]): string =>
        Buffer.from(applySplices(bytes, splices, Buffer.allocUnsafe)).toString();
      expect(rewrite(scanned.planRewrite('served'))).toBe(
        rewrite(planRewrite(bytes, held.request, 'served')),
      );
    }),
    { numRuns: 1_500 },
  );
});

it('what a body needs that is too long to be kept is told by its head', () => {
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(8_192)}` } };
  const messages = [{ role: 'user', content: [image, { type: 'text', text: 'x'.repeat(8_192) }] }];
  const tools = [{ type: 'function', function: { name: 'a', description: 'x'.repeat(8_192) } }];
  const bytes = Buffer.from(JSON.stringify({ model: 'a', tools, messages }));
  const scan = new JsonBodyScan(CHAT_BODY);
  expect(scan.push(bytes.subarray(0, 12_000))).toBeNull();
  expect(scan.push(bytes.subarray(12_000))).toBeNull();
  expect(scan.end()).toMatchObject({ request: { needs: needsOf(['tools', 'vision']) } });
});
