import type { Command } from '@ai-fabric/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { LinkStage } from './testing/link-stage.js';

const deed: Command = { name: 'remove_orphans', containerIds: ['9a1b2c3d4e5f'] };

let stage: LinkStage;
beforeEach(() => {
  stage = new LinkStage();
});

function sentDeeds(socket: ReturnType<LinkStage['link']>) {
  return socket.of('command').filter(({ command }) => command.name === 'remove_orphans');
}

describe('a command that somebody waits for', () => {
  it('ends with its outcome', async () => {
    const socket = stage.link();
    const asked = stage.loop.ask('motoko', deed, 60_000);
    const [sent] = sentDeeds(socket);
    expect(sent).toMatchObject({ ttlMs: 60_000, command: deed });
    const outcome = { result: 'failed', code: 'engine_unreachable', detail: 'no socket' } as const;
    stage.says(socket, 'outcome', { commandId: sent?.commandId ?? '', ...outcome });
    expect(await asked).toEqual(outcome);
  });

  it('is not sent to a host without a link', () => {
    expect(stage.loop.ask('motoko', deed, 60_000)).toBeNull();
    expect(stage.loop.ask('nobody', deed, 60_000)).toBeNull();
  });

  it('is sent again on the next link, and ends with what comes there', async () => {
    const first = stage.link();
    const asked = stage.loop.ask('motoko', deed, 60_000);
    first.end();
    const second = stage.link();
    const [again] = sentDeeds(second);
    expect(again?.commandId).toBe(sentDeeds(first)[0]?.commandId);
    const commandId = again?.commandId ?? '';
    stage.says(second, 'outcome', { commandId, result: 'done', code: null, detail: null });
    expect(await asked).toMatchObject({ result: 'done' });
  });

  it('is of one link alone where it is about power: the next one hears nothing of it', async () => {
    const power: Command = {
      ...{ name: 'power', verb: 'suspend', bootId: 'boot-1', drainSeconds: 60, reason: 'idle' },
    };
    const void1 = { result: 'expired', code: 'void_on_new_link' };
    const first = stage.link();
    const cut = stage.loop.ask('motoko', power, 60_000);
    first.end();
    expect(await cut).toMatchObject(void1);
    const second = stage.link();
    const superseded = stage.loop.ask('motoko', power, 60_000);
    const asked = second.of('command').filter(({ command }) => command.name === 'power');
    expect(asked).toHaveLength(1);
    const third = stage.link();
    expect(await superseded).toMatchObject(void1);
    expect(third.of('command').filter(({ command }) => command.name === 'power')).toEqual([]);
  });

  it('ends as expired when no outcome comes in its time, and is then forgotten', async () => {
    const socket = stage.link();
    const asked = stage.loop.ask('motoko', deed, 10_000);
    stage.clock.advance(12_000);
    expect(await asked).toMatchObject({ result: 'expired' });
    const commandId = sentDeeds(socket)[0]?.commandId ?? '';
    stage.says(socket, 'outcome', { commandId, result: 'done', code: null, detail: null });
  });

  it('stands beside another of its kind, and neither is taken for the other', async () => {
    const socket = stage.link();
    const one = stage.loop.ask('motoko', deed, 60_000);
    const other = stage.loop.ask('motoko', deed, 60_000);
    const [first, second] = sentDeeds(socket);
    const settle = (commandId = '', result: 'done' | 'refused' = 'done') =>
      stage.says(socket, 'outcome', { commandId, result, code: null, detail: null });
    settle(second?.commandId, 'refused');
    settle(first?.commandId);
    expect(await one).toMatchObject({ result: 'done' });
    expect(await other).toMatchObject({ result: 'refused' });
  });
});
