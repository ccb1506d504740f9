import { pino } from 'pino';
import { expect, it } from 'vitest';
import { LiveLogLevel } from './live-log-level.js';

function recorded(level: string) {
  const lines: { readonly msg: string; readonly room?: string }[] = [];
  const log = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log, level: new LiveLogLevel(log), messages: () => lines.map(({ msg, room }) => [room, msg]) };
}

it('reaches every room, and what a room derived from its own logger', () => {
  const { log, level, messages } = recorded('info');
  const room = log.child({ room: 'link' });
  const inner = room.child({ part: 'intake' });
  inner.debug('before');
  level.change('debug');
  for (const each of [log, room, inner]) each.debug('after');
  expect(level.current).toBe('debug');
  expect(messages()).toEqual([
    [undefined, 'the level of the log was changed'],
    [undefined, 'after'],
    ['link', 'after'],
    ['link', 'after'],
  ]);
});

it('holds for rooms that come later', () => {
  const { log, level, messages } = recorded('info');
  level.change('error');
  const room = log.child({ room: 'api' });
  room.warn('too quiet');
  level.change('warn');
  room.warn('heard');
  expect(messages()).toEqual([
    [undefined, 'the level of the log was changed'],
    ['api', 'heard'],
  ]);
});

it('is not told of where nothing changes', () => {
  const { level, messages } = recorded('info');
  level.change('info');
  expect(messages()).toEqual([]);
});
