import { expect, it } from 'vitest';
import { readableLogLine } from './readable-log-line.mjs';

it.each([
  ['npm error code ENOTFOUND', 'npm error code ENOTFOUND'],
  ['{"name":"pnpm:lifecycle","line":"gyp ERR! not ok "}', 'gyp ERR! not ok '],
  ['{"name":"pnpm","level":"error","err":{"message":"lock file is old"}}', 'lock file is old'],
  ['{"name":"pnpm:request-retry","level":"debug","error":{"message":"dns error"}}', 'dns error'],
  ['{ cut short', '{ cut short'],
])('%s is shown to a person', (line, shown) => {
  expect(readableLogLine(line)).toBe(shown);
});

it.each([
  '',
  '   ',
  '{"name":"pnpm:progress","level":"debug","status":"resolved"}',
  '{"name":"pnpm:lifecycle","exitCode":1}',
])("%j is the package manager's own bookkeeping", (line) => {
  expect(readableLogLine(line)).toBeNull();
});
