import { describe, expect, it } from 'vitest';
import type { RequestClass } from '../../declared/request-class.js';
import { cappedClass, chooseClass } from './choose-class.js';

const free = { defaultClass: null, mostUrgentClass: null };

describe('chooseClass', () => {
  it.each<
    [
      wished: RequestClass | null,
      byDefault: RequestClass | null,
      atMost: RequestClass | null,
      declared: RequestClass,
      chosen: RequestClass,
      isCapped: boolean,
    ]
  >([
    [null, null, null, 'normal', 'normal', false],
    [null, null, null, 'batch', 'batch', false],
    ['interactive', null, null, 'batch', 'interactive', false],
    [null, 'batch', null, 'interactive', 'batch', false],
    ['interactive', 'batch', null, 'normal', 'interactive', false],
    ['interactive', null, 'normal', 'normal', 'normal', true],
    ['interactive', 'batch', 'batch', 'normal', 'batch', true],
    ['normal', null, 'normal', 'normal', 'normal', false],
    ['batch', null, 'normal', 'interactive', 'batch', false],
    [null, null, 'batch', 'interactive', 'batch', true],
    [null, 'interactive', 'normal', 'batch', 'normal', true],
    [null, null, 'interactive', 'interactive', 'interactive', false],
  ])(
    'asked %s, key %s and at most %s, role %s: %s',
    (wished, defaultClass, mostUrgentClass, declared, ...so) => {
      const [requestClass, isCapped] = so;
      expect(chooseClass(wished, { defaultClass, mostUrgentClass }, declared)).toEqual({
        requestClass,
        isCapped,
      });
    },
  );

  it('lets a key without classes ask for any', () => {
    for (const each of ['interactive', 'normal', 'batch'] as const)
      expect(chooseClass(each, free, 'normal')).toEqual({ requestClass: each, isCapped: false });
  });
});

describe('cappedClass', () => {
  const classes = { defaultClass: null, mostUrgentClass: 'normal' } as const;

  it.each([
    [{ 'x-fabric-class': 'interactive' }, 'normal'],
    [{ 'x-fabric-class': ' Interactive ' }, 'normal'],
    [{ 'x-fabric-class': 'batch' }, null],
    [{ 'x-fabric-class': 'urgent' }, null],
    [{}, null],
  ])('of %o at most normal is %s', (headers, capped) => {
    expect(cappedClass(headers, classes)).toBe(capped);
  });

  it('is none of a key that may ask for any', () => {
    expect(cappedClass({ 'x-fabric-class': 'interactive' }, free)).toBeNull();
  });
});
