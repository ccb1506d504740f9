import { describe, expect, it } from 'vitest';
import { formScanner, peekForm } from './peek-form.js';
import { MultipartScanner } from './scan-multipart.js';

function peek(fields: Readonly<Record<string, string>>) {
  const scanner = formScanner('multipart/form-data; boundary=b');
  if (!(scanner instanceof MultipartScanner)) throw new Error(scanner.message);
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  scanner.push(Buffer.from(`${parts.join('')}--b--`));
  return peekForm(scanner.end());
}

describe('peekForm', () => {
  it.each([
    ['true', true],
    ['True', true],
    ['1', true],
    ['false', false],
    ['', false],
    ['maybe', false],
  ])('reads a stream of "%s" as %s', (stream, isStream) => {
    expect(peek({ file: 'x', model: 'a', stream })).toMatchObject({
      ok: true,
      request: { model: 'a', stream: isStream, estimatedPromptTokens: null, promptBytes: null },
    });
  });

  it('needs a model that is a name', () => {
    expect(peek({ file: 'x' })).toMatchObject({ error: { code: 'missing_required_parameter' } });
    expect(peek({ model: '' })).toMatchObject({ error: { code: 'invalid_request', param: 'model' } });
    expect(peek({ model: 'm'.repeat(1_025) })).toMatchObject({ error: { code: 'invalid_request' } });
    expect(peek({ model: 'm'.repeat(1_024) })).toMatchObject({ ok: true });
  });

  it('says at which byte a body stops being a form', () => {
    expect(peekForm({ ok: false, at: 17, expected: 'the closing boundary' })).toMatchObject({
      error: {
        code: 'invalid_multipart',
        message: 'The body is no form: at byte 17 the closing boundary was expected.',
      },
    });
  });
});

describe('formScanner', () => {
  it.each([
    ['application/json', 'unsupported_media_type'],
    [undefined, 'unsupported_media_type'],
    ['multipart/form-data', 'invalid_multipart'],
  ])('refuses %s', (contentType, code) => {
    expect(formScanner(contentType)).toMatchObject({ code });
  });
});
