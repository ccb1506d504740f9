import { InvalidArgumentError } from 'commander';
import { readDuration, readTime } from '../history/decide/read-time.js';

/** Takes a moment as the API does, and leaves it as it is written: what "10m" means is settled where it is asked. */
export function parseMoment(text: string): string {
  if (readTime(text, 0) !== null) return text;
  throw new InvalidArgumentError('an age as 90s, 10m, 2h; ISO 8601; or milliseconds since 1970');
}

/** Takes a length of time as the API does, and leaves it as it is written. */
export function parseStep(text: string): string {
  if (readDuration(text) !== null) return text;
  throw new InvalidArgumentError('a time as 30s, 10m, 2h');
}
