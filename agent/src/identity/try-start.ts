/**
 * Starts a program so that each failure to start comes as an event does, after the call. Node throws those that it does not
 * expect: on Windows all that it has no name for (`UNKNOWN`), as of a program that a policy keeps from running.
 *
 * @param start `spawn`, or `execFile` with its callback
 * @param onError gets what would have been thrown
 * @returns `null` where it would have been thrown
 */
export function tryStart<Child>(
  start: () => Child,
  onError: (error: NodeJS.ErrnoException) => void,
): Child | null {
  try {
    return start();
  } catch (error) {
    queueMicrotask(() => onError(error as NodeJS.ErrnoException));
    return null;
  }
}
