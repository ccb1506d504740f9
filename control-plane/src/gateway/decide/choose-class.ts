import { REQUEST_CLASSES, type RequestClass } from '../../declared/request-class.js';
import type { KeyClasses } from '../../registry/key-types.js';
import { readWishHeaders } from './read-wish-headers.js';

export interface ChosenClass {
  readonly requestClass: RequestClass;
  /** It is less urgent than it was to be: its key may not more. */
  readonly isCapped: boolean;
}

/**
 * How urgent a request is where it waits: as it asks, else as its key says, else as its role declares; and never more
 * urgent than its key may be.
 *
 * @param wished of `x-fabric-class`; `null`: not said
 * @param declared of the role
 */
export function chooseClass(
  wished: RequestClass | null,
  { defaultClass, mostUrgentClass }: KeyClasses,
  declared: RequestClass,
): ChosenClass {
  const asked = wished ?? defaultClass ?? declared;
  const isCapped = mostUrgentClass !== null && urgency(asked) > urgency(mostUrgentClass);
  return { requestClass: isCapped ? mostUrgentClass : asked, isCapped };
}

/** @returns the class that a client is given instead of a more urgent one that it asks for; `null`: it has what it asks for */
export function cappedClass(
  headers: Parameters<typeof readWishHeaders>[0],
  classes: KeyClasses,
): RequestClass | null {
  if (classes.mostUrgentClass === null) return null;
  const wishes = readWishHeaders(headers);
  if ('error' in wishes || wishes.requestClass === null) return null;
  const { requestClass, isCapped } = chooseClass(wishes.requestClass, classes, 'normal');
  return isCapped ? requestClass : null;
}

function urgency(requestClass: RequestClass): number {
  return -REQUEST_CLASSES.indexOf(requestClass);
}
