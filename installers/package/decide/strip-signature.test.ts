import { describe, expect, it } from 'vitest';
import { stripSignature } from './strip-signature.mjs';

const PE_AT = 0x80;
const ENTRY_AT = PE_AT + 24 + 112 + 32;
const BODY_BYTES = 1_000;

function program(signature: Buffer, magic = 0x20b): Buffer {
  const body = Buffer.alloc(BODY_BYTES, 1);
  body.write('MZ', 0, 'latin1');
  body.writeUInt32LE(PE_AT, 0x3c);
  body.write('PE\0\0', PE_AT, 'latin1');
  body.writeUInt16LE(magic, PE_AT + 24);
  body.writeUInt32LE(signature.length === 0 ? 0 : BODY_BYTES, ENTRY_AT);
  body.writeUInt32LE(signature.length, ENTRY_AT + 4);
  return Buffer.concat([body, signature]);
}

describe('a program of Windows', () => {
  it('loses its signature and what points to it, and nothing else', () => {
    const signed = program(Buffer.alloc(300, 7));
    const bare = stripSignature(signed);
    expect(bare).toEqual(program(Buffer.alloc(0)));
    expect(signed).toHaveLength(BODY_BYTES + 300);
  });

  it('that is not signed stays what it is', () => {
    const bare = program(Buffer.alloc(0));
    expect(stripSignature(bare)).toBe(bare);
  });

  it('with something behind its signature is refused', () => {
    const odd = Buffer.concat([program(Buffer.alloc(300, 7)), Buffer.from('more')]);
    expect(() => stripSignature(odd)).toThrow('not at its end');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('#!/bin/sh\n'.repeat(100))],
    ['of 32 bits', program(Buffer.alloc(0), 0x10b)],
    ['cut off', program(Buffer.alloc(0)).subarray(0, 200)],
  ])('that is %s is none', (_what, file) => {
    expect(() => stripSignature(file)).toThrow('no 64-bit program');
  });
});
