import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Has V8 collect once what only the start needed. It would leave those 15 MB lying for minutes: an agent allocates so
 * little that nothing makes it look, and they are a fifth of all that it may take.
 */
export function releaseStartupMemory(): void {
  // The way to the collector of a Node that was not started with this flag; a context made after it has the function.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
