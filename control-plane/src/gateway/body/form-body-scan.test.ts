import { describe, expect, it } from 'vitest';
import { applySplices } from '../decide/rewrite-body.js';
import { FormBodyScan } from './form-body-scan.js';

const part = (name: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const form = (model: string): string => `${part('file', 'x'.repeat(9_000))}${part('model', model)}--b--\r\n`;

describe('FormBodyScan', () => {
  it('finds the model behind a file that is not kept, and rewrites it there', () => {
    const scan = new FormBodyScan('multipart/form-data; boundary=b');
    const bytes = Buffer.from(form('ears'));
    for (let at = 0; at < bytes.length; at += 1_000) {
      expect(scan.push(bytes.subarray(at, at + 1_000))).toBeNull();
    }
    const scanned = scan.end();
    if ('code' in scanned) throw new Error(scanned.message);
    expect(scanned.request).toMatchObject({ model: 'ears', promptBytes: null });
    const rewritten = applySplices(bytes, scanned.planRewrite('served/whisper'), Buffer.allocUnsafe);
    expect(Buffer.from(rewritten).toString()).toBe(form('served/whisper'));
  });

  it('tells a fault as soon as it is there, and what is missing at the end', () => {
    const broken = new FormBodyScan('multipart/form-data; boundary=b');
    expect(broken.push(Buffer.from('--bx'))).toMatchObject({ code: 'invalid_multipart' });
    const cut = new FormBodyScan('multipart/form-data; boundary=b');
    expect(cut.push(Buffer.from(part('model', 'ears')))).toBeNull();
    expect(cut.end()).toMatchObject({ code: 'invalid_multipart' });
    expect(new FormBodyScan('application/json').push(Buffer.from('{}'))).toMatchObject({
      code: 'unsupported_media_type',
    });
  });
});
