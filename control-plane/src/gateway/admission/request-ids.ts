import type { Random } from '@ai-fabric/shared';

const SANE_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** @returns what gives a request its id: the client's own where it is sane, else one that is unique to this process */
export function createRequestIds(random: Random): (asked: string | string[] | undefined) => string {
  const prefix = Math.floor(random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
  let count = 0;
  return (asked) => {
    if (typeof asked === 'string' && SANE_ID.test(asked)) return asked;
    count++;
    return `req-${prefix}-${count.toString(36)}`;
  };
}
