import type { SessionFacts } from './session-facts.js';

/**
 * Reads `loginctl show-session ID… -p Class -p Remote -p State -p IdleHint`: one block of `Name=value` for each session,
 * an empty line between them.
 */
export function parseLoginctl(text: string): SessionFacts {
  let present = false;
  let remoteSession = false;
  for (const block of text.split(/\r?\n\s*\r?\n/)) {
    const facts = readBlock(block);
    // A greeter is a session too, and one that closes has nobody in it.
    if (facts.get('Class') !== 'user' || facts.get('State') === 'closing') continue;
    const isIdle = facts.get('IdleHint') === 'yes';
    if (facts.get('Remote') === 'yes') remoteSession ||= !isIdle;
    else present ||= !isIdle;
  }
  return { present, remoteSession };
}

/** Reads `loginctl list-sessions --no-legend`: the ids come first. */
export function parseSessionIds(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((id) => /^[A-Za-z0-9]{1,20}$/.test(id));
}

function readBlock(block: string): ReadonlyMap<string, string> {
  const pairs = block.split(/\r?\n/).map((line) => line.trim().split('=', 2));
  return new Map(pairs.map(([name = '', value = '']) => [name, value]));
}
