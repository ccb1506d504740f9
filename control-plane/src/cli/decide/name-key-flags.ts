const FLAGS: Readonly<Record<string, string>> = {
  roles: '--roles',
  expiresAtMs: '--expires',
  keepBodiesDays: '--keep-bodies',
  defaultClass: '--class',
  mostUrgentClass: '--most-urgent',
  requestsPerMinute: '--requests-per-minute',
  tokensPerMinute: '--tokens-per-minute',
  concurrentRequests: '--concurrent',
  graceSeconds: '--grace',
};

/** Where a complaint of the control API begins to speak of a field: `expiresAtMs: …`, `body limits.tokensPerMinute: …`. */
const PLACE = new RegExp(
  `(^|; )(?:body )?(?:limits\\.)?(${Object.keys(FLAGS).join('|')})(?:\\.\\d+)?(?=: )`,
  'g',
);

/** What the control API says of a key's fields, said of the flags that they came from. */
export function nameKeyFlags(message: string): string {
  return message.replace(PLACE, (_, before: string, field: string) => `${before}${FLAGS[field]}`);
}
