/** A piece of a PowerShell script. */
export interface ShellToken {
  readonly kind: 'word' | 'variable' | 'type' | 'string' | 'here-string' | 'mark';
  /** Of a string what is in it; of a type its name. */
  readonly text: string;
}

const CLOSES: Readonly<Record<string, string>> = { '(': ')', '{': '}' };

/** In this order: the first that fits is taken. */
const RULES: readonly (readonly [ShellToken['kind'] | 'nothing', RegExp])[] = [
  ['nothing', /^(?:\s+|#[^\n]*)/],
  ['here-string', /^@'\n([\s\S]*?)\n'@/],
  ['string', /^'((?:[^'\n]|'')*)'/],
  ['variable', /^\$\w+/],
  ['type', /^\[([A-Za-z][\w.]*)\](?!\])/],
  ['word', /^-?[A-Za-z0-9]\w*(?:-[A-Za-z]+)?/],
  ['mark', /^(?:::|[(){};=,+.])/],
];

/**
 * Reads a script in the few words that ours has, more strictly than PowerShell: what it does not know, a string that
 * takes in variables (`"…"`) or a call by `&` among it, is refused.
 *
 * @throws Error that says where it stopped understanding, or which bracket has no other
 */
export function readPowerShell(script: string): readonly ShellToken[] {
  const tokens: ShellToken[] = [];
  const open: string[] = [];
  for (let at = 0; at < script.length; ) {
    const rest = script.slice(at);
    const found = RULES.map(([kind, rule]) => ({ kind, match: rule.exec(rest) })).find(({ match }) => match);
    if (!found?.match) throw new Error(`not understood: ${JSON.stringify(rest.slice(0, 40))}`);
    const { kind, match } = found;
    at += match[0].length;
    if (kind === 'nothing') continue;
    const text = match[1] ?? match[0];
    tokens.push({ kind, text });
    if (kind !== 'mark') continue;
    const closes = CLOSES[text];
    if (closes !== undefined) open.push(closes);
    else if ((text === ')' || text === '}') && open.pop() !== text) {
      throw new Error(`"${text}" closes nothing before ${JSON.stringify(script.slice(at, at + 40))}`);
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(' ')}`);
  return tokens;
}
