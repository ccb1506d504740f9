import { expect, test } from 'vitest';
import { advertiseUrls } from './advertise-urls.js';

const motoko = { hostName: 'Motoko', addresses: ['192.168.1.5', 'fd7a:115c:a1e0::1'] };

test('a listener on every address is told by name first, then by address, and once', () => {
  expect(advertiseUrls(['https://0.0.0.0:8443', 'https://[::]:8443'], motoko)).toEqual([
    'https://motoko:8443',
    'https://192.168.1.5:8443',
    'https://[fd7a:115c:a1e0::1]:8443',
  ]);
});

test('a listener on one address is told as it is, loopback last: others have no use for that', () => {
  const told = ['127.0.0.1', 'localhost', '[::1]', '100.64.1.2', '[fd7a::1]', '127.example.org'];
  expect(
    advertiseUrls(
      told.map((place) => `https://${place}:8443`),
      motoko,
    ),
  ).toEqual(
    ['100.64.1.2', '[fd7a::1]', '127.example.org', '127.0.0.1', 'localhost', '[::1]'].map(
      (place) => `https://${place}:8443`,
    ),
  );
  expect(advertiseUrls(['https://127.0.0.1:8443'], motoko)).toEqual(['https://127.0.0.1:8443']);
});
