import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFabricValue } from './check-fabric-value.js';
import { parseFabricText } from './parse-fabric-text.js';
import { errorsOf } from './testing/fabric-texts.js';

describe('a fabric file that tries to exhaust its reader', () => {
  it('is refused when its references stand for billions of values', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const list = level === 0 ? 'x' : `*a${level - 1}`;
      return `k${level}: &a${level} [${Array(9).fill(list).join(', ')}]`;
    });
    expect(errorsOf(`version: 1\n${levels.join('\n')}`)).toContain(
      'expected at most 100000 values, those behind "*" references included',
    );
  });

  it.each(['[', '{', '{a: ', '[a: ', '- ', '? ', '- - ', '- ? ', '[[a]: ', '{[a]: ', '!t [', '&a ['])(
    'is refused, and ends no process, when %j stands in it a hundred thousand times',
    (opening) => {
      const message = /^fabric\.yaml:1:1: \(the whole file\): no valid YAML: nested too deeply/;
      expect(errorsOf(opening.repeat(100_000))).toMatch(message);
      expect(errorsOf(`a:\n ${opening.repeat(100_000)}`)).toMatch(message);
    },
  );

  it('is told where it has more levels than a fabric has', () => {
    expect(errorsOf(`a: ${'['.repeat(60)}${']'.repeat(60)}`)).toContain('expected at most 32 levels');
    expect(errorsOf(`a: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`)).toContain('expected at most 32 levels');
  });
});

describe('whatever a fabric file holds', () => {
  it('any text is read or refused, never thrown at', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        '  ',
        ': ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '&a ',
        '*a',
        '!t ',
        '|',
        '>',
        '"',
        "'",
        '? ',
        '#',
        '%',
        '---',
        '\t',
      ),
      fc.constantFrom(
        'version: 1',
        'hosts:',
        'deployments:',
        'providers:',
        'apiKey:',
        'roles:',
        'targets:',
        'aliases:',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const result = parseFabricText(pieces.join(''), 'f');
        if (result.ok) return result.state.revision === 0;
        return (
          result.errors.length > 0 && result.errors.every(({ line, column }) => line >= 1 && column >= 1)
        );
      }),
      { numRuns: 500 },
    );
  });

  it('any JSON value is read or refused, never thrown at', () => {
    const sections = ['version', 'hosts', 'deployments', 'providers', 'roles', 'aliases', 'gateway'];
    const value = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...sections), fc.jsonValue()));
    fc.assert(
      fc.property(value, (json) => {
        const check = checkFabricValue(json);
        return check.ok || check.findings.length > 0;
      }),
      { numRuns: 500 },
    );
  });
});
