import type { Command } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { sendVolley, type VolleyParts } from './send-volley.js';

type Answer = Awaited<NonNullable<ReturnType<VolleyParts['ask']>>>;

const done: Answer = { result: 'done', code: null, detail: null };
const failed: Answer = { result: 'failed', code: 'no_interface', detail: null };
const own = [{ interface: 'lan0', address: '192.168.1.5/24' }];

async function volley(
  answers: Readonly<Record<string, Answer | null>>,
  { hasOwn = false, ownSends = true }: { hasOwn?: boolean; ownSends?: boolean } = {},
) {
  const asked: string[] = [];
  const orders: Command[] = [];
  let outs = 0;
  const sent = await sendVolley(
    {
      sender: { send: () => Promise.resolve({ isOut: ownSends, notes: ownSends ? [] : ['lan0: down'] }) },
      ask: (host, command) => {
        asked.push(host);
        orders.push(command);
        const answer = answers[host] ?? null;
        return answer === null ? null : Promise.resolve(answer);
      },
      ports: [9, 7],
    },
    {
      wakeId: 'wake-1',
      macs: Array.from({ length: 12 }, (_, index) => `52:54:00:00:00:${String(index).padStart(2, '0')}`),
      addresses: ['192.168.1.20'],
      paths: {
        own: hasOwn ? own : [],
        relays: Object.keys(answers).map((host) => ({ host, gatewayMac: 'gw' })),
      },
    },
    () => {
      outs += 1;
    },
  );
  return { asked, orders, outs, ...sent };
}

describe('a volley', () => {
  it('goes through two relays, not through all', async () => {
    expect(await volley({ a: done, b: done, c: done })).toMatchObject({
      asked: ['a', 'b'],
      isOut: true,
      outs: 1,
    });
  });

  it('goes through another relay where one fails, or has lost its link', async () => {
    const { asked, notes, isOut } = await volley({ a: failed, b: null, c: done, d: done, e: done });
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    expect(isOut).toBe(true);
    expect(notes).toEqual(['relay a: no_interface', 'relay b: it has no link now']);
  });

  it('asks six relays at the most', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const { asked, isOut, outs } = await volley(Object.fromEntries(names.map((name) => [name, failed])));
    expect([asked.length, isOut, outs]).toEqual([6, false, 0]);
  });

  it('leaves from here and through relays, and is out where either sends', async () => {
    expect(await volley({ a: failed }, { hasOwn: true })).toMatchObject({ isOut: true, outs: 1 });
    expect(await volley({ a: done }, { hasOwn: true, ownSends: false })).toMatchObject({
      isOut: true,
      notes: ['lan0: down'],
    });
    expect(await volley({}, { hasOwn: true, ownSends: false })).toMatchObject({ isOut: false, outs: 0 });
    expect(await volley({})).toMatchObject({ isOut: false, notes: [] });
  });

  it('orders no more than the wire takes', async () => {
    const { orders } = await volley({ a: done });
    const [order] = orders;
    expect(order?.name === 'send_magic_packets' && order.order.macs.length).toBe(8);
  });
});
