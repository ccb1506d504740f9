import { describe, expect, test } from 'vitest';
import { admitSubscriber, type SubscriberFacts } from './admit-subscriber.js';

const program: SubscriberFacts = {
  ...{ isOwnHost: true, pageOrigin: 'none', hasAdminToken: false, takeTicket: null },
};
const good = () => true;
const spent = () => false;

describe('who may subscribe to the feed', () => {
  test.each<[string, Partial<SubscriberFacts>, number | 'admitted']>([
    ['a program with the admin token', { hasAdminToken: true }, 'admitted'],
    ['a program with the admin token, by any name', { hasAdminToken: true, isOwnHost: false }, 'admitted'],
    ['a program with a ticket', { takeTicket: good }, 'admitted'],
    ['a program with nothing', {}, 401],
    ['a program with a spent ticket', { takeTicket: spent }, 401],
    ['our page with a ticket', { pageOrigin: 'own', takeTicket: good }, 'admitted'],
    ['an allowed page with a ticket', { pageOrigin: 'allowed', takeTicket: good }, 'admitted'],
    ['our page with the admin token alone', { pageOrigin: 'own', hasAdminToken: true }, 401],
    ['a foreign page with everything', { pageOrigin: 'foreign', hasAdminToken: true, takeTicket: good }, 403],
    ['a page by a name that is not ours', { pageOrigin: 'own', isOwnHost: false, takeTicket: good }, 403],
  ])('%s: %s', (_, facts, expected) => {
    const verdict = admitSubscriber({ ...program, ...facts });
    expect(verdict.kind === 'admitted' ? verdict.kind : verdict.status).toBe(expected);
  });

  test('a foreign page uses no ticket up', () => {
    let taken = 0;
    const takeTicket = () => {
      taken += 1;
      return true;
    };
    admitSubscriber({ ...program, pageOrigin: 'foreign', takeTicket });
    expect(taken).toBe(0);
  });
});
