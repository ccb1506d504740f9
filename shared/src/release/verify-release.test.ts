import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { MAX_MANIFEST_BYTES, type ReleaseManifest } from './release-manifest.js';
import { artefactOf, manifestOf } from './testing/manifest-of.js';
import { releaseKeySha256, verifyRelease } from './verify-release.js';

const ours = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();
const OURS = pemOf(ours.publicKey);

const bytesOf = (manifest: unknown): Buffer => Buffer.from(JSON.stringify(manifest, null, 2));
const signed = (bytes: Uint8Array, key = ours.privateKey): string =>
  sign(null, bytes, key).toString('base64');

describe('a release build', () => {
  const bytes = bytesOf(manifestOf());

  it('takes a manifest that its key signed', () => {
    expect(verifyRelease(bytes, signed(bytes), OURS)).toEqual({
      ...{ ok: true, manifest: manifestOf(), signed: true },
    });
  });

  it('takes the signature as a file holds it, with a line ending', () => {
    expect(verifyRelease(bytes, `${signed(bytes)}\n`, OURS).ok).toBe(true);
    expect(verifyRelease(bytes, `${signed(bytes)}\r\n`, OURS).ok).toBe(true);
  });

  test.each([
    ['no signature', null, 'signature_missing'],
    ['an empty one', ' \n', 'signature_missing'],
    ['one that is no base64', '*'.repeat(88), 'signature_wrong'],
    ['half of one', signed(bytes).slice(0, 40), 'signature_wrong'],
    ['one and a half', signed(bytes) + signed(bytes), 'signature_wrong'],
    ['the signature of another key', signed(bytes, theirs.privateKey), 'signature_wrong'],
    [
      'the signature of another manifest',
      signed(bytesOf(manifestOf({ version: '0.2.0' }))),
      'signature_wrong',
    ],
  ])('refuses one with %s', (_what, signature, code) => {
    expect(verifyRelease(bytes, signature, OURS)).toMatchObject({ ok: false, code });
  });

  it('refuses one of which any byte was changed', () => {
    const signature = signed(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(verifyRelease(changed, signature, OURS)).toMatchObject({ ok: false, code: 'signature_wrong' });
      }),
    );
  });

  it('refuses one of which any bit of the signature was changed', () => {
    const signature = Buffer.from(signed(bytes), 'base64');
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = Buffer.from(signature);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(verifyRelease(bytes, changed.toString('base64'), OURS).ok).toBe(false);
      }),
    );
  });

  it('reads nothing of what is not signed: garbage too is said to be wrongly signed', () => {
    const garbage = Buffer.from('{"format":1,');
    expect(verifyRelease(garbage, signed(bytes), OURS)).toMatchObject({ code: 'signature_wrong' });
  });

  it('refuses a signed one that is no manifest', () => {
    const garbage = Buffer.from('{}');
    expect(verifyRelease(garbage, signed(garbage), OURS)).toMatchObject({ code: 'manifest_damaged' });
  });

  it('refuses everything where the key that was built in is none', () => {
    expect(verifyRelease(bytes, signed(bytes), 'no key')).toMatchObject({ code: 'signature_wrong' });
  });

  it('refuses everything where the key that was built in is of another kind', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signature = sign('sha256', bytes, privateKey).toString('base64');
    expect(verifyRelease(bytes, signature, pemOf(publicKey))).toMatchObject({ code: 'signature_wrong' });
  });
});

describe('a development build', () => {
  const verify = (manifest: unknown, signature: string | null = null) =>
    verifyRelease(bytesOf(manifest), signature, null);

  it('takes an unsigned manifest, and says so', () => {
    expect(verify(manifestOf())).toEqual({ ok: true, manifest: manifestOf(), signed: false });
  });

  it('cannot prove a signature, and does not say that it did', () => {
    const bytes = bytesOf(manifestOf());
    expect(verifyRelease(bytes, signed(bytes), null)).toMatchObject({ ok: true, signed: false });
  });

  test.each<[string, unknown]>([
    ['no JSON', 'manifest'],
    ['a list', []],
    ['null', null],
    ['of no format', { ...manifestOf(), format: undefined }],
    ['of half a format', { ...manifestOf(), format: 1.5 }],
    ['without artefacts', { ...manifestOf(), artefacts: undefined }],
    ['with an artefact outside its folder', manifestOf({ artefacts: [artefactOf({ name: '../x' })] })],
  ])('refuses one that is %s', (_what, manifest) => {
    expect(verify(manifest)).toMatchObject({ ok: false, code: 'manifest_damaged' });
  });

  it('says where it is damaged', () => {
    const damaged: ReleaseManifest = manifestOf({ artefacts: [artefactOf({ sha256: 'none' })] });
    expect(verify(damaged)).toMatchObject({ detail: expect.stringContaining('artefacts.0.sha256') });
  });

  it('refuses text that is no UTF-8', () => {
    expect(verifyRelease(Buffer.from([0x7b, 0xff, 0x7d]), null, null)).toMatchObject({
      code: 'manifest_damaged',
    });
  });

  it('refuses one of a later format by its number, whatever else it says', () => {
    expect(verify({ format: 2, parts: [] })).toMatchObject({
      code: 'format_unknown',
      detail: expect.stringContaining('format 2'),
    });
  });

  it('refuses one that is too long to be read', () => {
    expect(verifyRelease(Buffer.alloc(MAX_MANIFEST_BYTES + 1, ' '), null, null)).toMatchObject({
      code: 'manifest_damaged',
    });
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.option(fc.string()), (bytes, signature) => {
        expect(verifyRelease(bytes, signature, null).ok).toBe(false);
        expect(verifyRelease(bytes, signature, OURS).ok).toBe(false);
      }),
    );
  });
});

describe('the name of a release key', () => {
  it('is the SHA-256 of its DER', () => {
    const der = ours.publicKey.export({ format: 'der', type: 'spki' });
    expect(releaseKeySha256(OURS)).toBe(createHash('sha256').update(der).digest('hex'));
  });

  it('differs from key to key', () => {
    expect(releaseKeySha256(OURS)).not.toBe(releaseKeySha256(pemOf(theirs.publicKey)));
  });
});
