import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upgradePhaseSchema } from '../domain/upgrade.js';
import { type Decoded, decodeAgentFrame, decodeServerFrame, encodeFrame } from './decode-frame.js';
import type { AgentFrame, ServerFrame } from './frames.js';
import { MAX_FRAME_BYTES } from './limits.js';

const folder = new URL('./golden/', import.meta.url);
const golden = readdirSync(folder).map((file) => readFileSync(new URL(file, folder)));
const decoders = [decodeAgentFrame, decodeServerFrame] as const;
const codes = ['too_large', 'not_text', 'not_json', 'unknown_type', 'invalid'];

function isDecodedOrTyped(decoded: Decoded<{ type: string }>): void {
  if (decoded.ok) {
    expect(decoded.frame.type).toMatch(/^[a-z]+$/);
    return;
  }
  expect(codes).toContain(decoded.refusal.code);
  expect(decoded.refusal.detail.length).toBeGreaterThan(5);
  expect(decoded.refusal.detail.length).toBeLessThanOrEqual(400);
}

const anyGolden = fc.constantFrom(...golden);

describe('decoding a frame', () => {
  it('takes or refuses any bytes with a typed reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of decoders) isDecodedOrTyped(decode(bytes));
      }),
    );
  });

  it('takes or refuses any text with a typed reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        for (const decode of decoders) isDecodedOrTyped(decode(text));
      }),
    );
  });

  it('takes or refuses any JSON in any place of an envelope', () => {
    const type = fc.constantFrom('hello', 'report', 'outcome', 'goodbye', 'challenge', 'command', 'ack');
    fc.assert(
      fc.property(type, fc.jsonValue(), fc.jsonValue(), (frameType, id, body) => {
        const text = JSON.stringify({ id, type: frameType, sentAtMs: 1, body });
        for (const decode of decoders) isDecodedOrTyped(decode(text));
      }),
    );
  });

  it('refuses a golden frame that is cut off anywhere', () => {
    fc.assert(
      fc.property(anyGolden, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, part) => {
        const lastBrace = bytes.lastIndexOf('}');
        const cut = bytes.subarray(0, Math.floor(lastBrace * part));
        for (const decode of decoders) {
          expect(decode(cut)).toMatchObject({ ok: false, refusal: { code: 'not_json' } });
        }
      }),
    );
  });

  it('takes or refuses a golden frame with any bits flipped', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(anyGolden, flips, (bytes, places) => {
        const flipped = Uint8Array.from(bytes);
        for (const [at, bit] of places) {
          const index = at % flipped.length;
          flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
        }
        for (const decode of decoders) isDecodedOrTyped(decode(flipped));
      }),
      { numRuns: 1_000 },
    );
  });

  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });

  it('brings any offer of an upgrade over as it was said', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), hex, (version, manifestSha256) => {
        const command = { name: 'offer_upgrade', version, manifestSha256 } as const;
        const body = { commandId: 'c1', ttlMs: 1, command };
        const frame: ServerFrame = { id: 's1', type: 'command', sentAtMs: 1, body };
        expect(decodeServerFrame(encodeFrame(frame))).toStrictEqual({ ok: true, frame });
      }),
    );
  });

  it('refuses an offer of an upgrade to what no hash names', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (manifestSha256) => {
        fc.pre(!/^[0-9a-f]{64}$/.test(manifestSha256));
        const command = { name: 'offer_upgrade', version: '0.2.0', manifestSha256 };
        const body = { commandId: 'c1', ttlMs: 1, command };
        const text = JSON.stringify({ id: 's1', type: 'command', sentAtMs: 1, body });
        expect(decodeServerFrame(text)).toMatchObject({ ok: false, refusal: { code: 'invalid' } });
      }),
    );
  });

  it('brings over what any agent tells of its upgrade', () => {
    const upgrade = fc.option(
      fc.record(
        {
          phase: fc.constantFrom(...upgradePhaseSchema.options),
          version: fc.string({ maxLength: 40 }),
          detail: fc.option(fc.string({ maxLength: 500 })),
        },
        { noNullPrototype: true },
      ),
    );
    fc.assert(
      fc.property(upgrade, (told) => {
        const frame: AgentFrame = { id: 'a1', type: 'report', sentAtMs: 1, body: { seq: 1, upgrade: told } };
        expect(decodeAgentFrame(encodeFrame(frame))).toStrictEqual({ ok: true, frame });
      }),
    );
  });

  it('refuses one byte too many before it reads any of them', () => {
    const tooLarge = new Uint8Array(MAX_FRAME_BYTES + 1).fill(0xff);
    expect(decodeAgentFrame(tooLarge)).toMatchObject({ ok: false, refusal: { code: 'too_large' } });
    expect(decodeAgentFrame('x'.repeat(MAX_FRAME_BYTES + 1))).toMatchObject({
      refusal: { code: 'too_large' },
    });
    expect(decodeAgentFrame(tooLarge.subarray(1))).toMatchObject({ refusal: { code: 'not_text' } });
  });

  it('names the type that it does not know and those that it does', () => {
    expect(decodeAgentFrame('{"type":"welcome"}')).toEqual({
      ok: false,
      refusal: {
        code: 'unknown_type',
        detail: 'a frame of type "welcome"; known are hello, report, outcome, goodbye',
      },
    });
    expect(decodeAgentFrame('[1]')).toMatchObject({ refusal: { code: 'unknown_type' } });
    expect(decodeAgentFrame('null')).toMatchObject({ refusal: { code: 'unknown_type' } });
  });

  it('refuses nesting as deep as a frame can hold without running out of stack', () => {
    const depth = Math.floor(MAX_FRAME_BYTES / 2) - 20;
    const nest = '['.repeat(depth) + ']'.repeat(depth);
    expect(decodeAgentFrame(nest)).toMatchObject({ refusal: { code: 'unknown_type' } });
    expect(decodeAgentFrame(`{"type":${nest}}`)).toMatchObject({ refusal: { code: 'unknown_type' } });
    expect(decodeAgentFrame(`{"type":"report","body":${nest}}`)).toMatchObject({
      refusal: { code: 'invalid' },
    });
  });

  it('refuses numbers that JSON can write and arithmetic cannot carry', () => {
    const text = '{"id":"a","type":"report","sentAtMs":1e999,"body":{"seq":1}}';
    expect(decodeAgentFrame(text)).toMatchObject({ refusal: { code: 'invalid' } });
  });

  it('says which field is wrong', () => {
    const text = '{"id":"a","type":"report","sentAtMs":1,"body":{"seq":0}}';
    const decoded = decodeAgentFrame(text);
    expect(decoded).toMatchObject({ ok: false, refusal: { code: 'invalid' } });
    if (!decoded.ok) expect(decoded.refusal.detail).toMatch(/^report: body\.seq: /);
  });
});
