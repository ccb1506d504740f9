import { at } from '../at.js';
import type { LabPort, NamedPolicy } from '../lab-policy.js';
import { InFlight, pickAny, pickLeast, type Rival, rival } from './rival.js';

/** Each replica in its turn. */
export const roundRobin: NamedPolicy = rival('round-robin', () => {
  let turn = -1;
  return {
    choose: (_request, among) => {
      turn += 1;
      return at(among, turn % among.length);
    },
  };
});

export const randomChoice: NamedPolicy = rival('random', ({ random }) => ({
  choose: (_request, among) => pickAny(among, random),
}));

/** Where the fewest of our own requests are. */
export const leastInFlight: NamedPolicy = rival('least-in-flight', (port) => {
  const inFlight = new InFlight(port.replicas.length);
  return {
    ...counting(inFlight),
    choose: (_request, among) => pickLeast(among, (replica) => inFlight.of(replica), port.random),
  };
});

/** Of two replicas at random the one with fewer of our own requests. */
export const powerOfTwo: NamedPolicy = rival('power-of-two', (port: LabPort) => {
  const inFlight = new InFlight(port.replicas.length);
  return {
    ...counting(inFlight),
    choose: (_request, among) => {
      const one = pickAny(among, port.random);
      const others = among.filter((replica) => replica !== one);
      const pair = others.length === 0 ? [one] : [one, pickAny(others, port.random)];
      return pickLeast(pair, (replica) => inFlight.of(replica), port.random);
    },
  };
});

function counting(inFlight: InFlight): Pick<Rival, 'sent' | 'ended'> {
  return {
    sent: (_request, replica) => inFlight.change(replica, 1),
    ended: (_request, replica) => inFlight.change(replica, -1),
  };
}
