import type { Clock, Timer } from './pure/clock.js';

/** The machine's own time. Timers do not keep a process alive by themselves: sockets and servers do. */
export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after: (delayMs, run) => timer(setTimeout(run, delayMs), clearTimeout),
    every: (periodMs, run) => timer(setInterval(run, periodMs), clearInterval),
  };
}

function timer(handle: NodeJS.Timeout, clear: (handle: NodeJS.Timeout) => void): Timer {
  handle.unref();
  return {
    cancel: () => {
      // Node keeps the list of a cancelled timer that holds no process, and wakes at its time to find it empty.
      handle.ref();
      clear(handle);
    },
  };
}
