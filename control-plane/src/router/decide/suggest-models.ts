import { nearestNames } from '../../declared/decide/nearest-names.js';

const MOST_SUGGESTED = 3;

/**
 * Which models a client may have meant by a name that is none of ours: best first, at most three, often none.
 * After the names as a whole, their last parts are compared, since `openai/chat-fast` is what some clients make of
 * `chat-fast`, and `strong` what people make of `openai/strong`.
 */
export function suggestModels(asked: string, known: Iterable<string>): string[] {
  const names = [...known];
  const suggested = new Set(nearestNames(asked, names, MOST_SUGGESTED));
  const byLastPart = new Map<string, string[]>();
  for (const name of names) {
    const part = lastPart(name);
    byLastPart.set(part, [...(byLastPart.get(part) ?? []), name]);
  }
  for (const part of nearestNames(lastPart(asked), byLastPart.keys(), MOST_SUGGESTED)) {
    for (const name of byLastPart.get(part) ?? []) suggested.add(name);
  }
  return [...suggested].slice(0, MOST_SUGGESTED);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
