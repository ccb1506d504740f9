const MAC = /(?<![0-9a-f:-])(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![0-9a-f:-])/gi;
const IPV4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/g;
/** With a gap, or all of its eight groups: a time of day and a card's address are none. */
const IPV6 =
  /(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:])/gi;
const HOME = /((?:\/home\/|[A-Z]:\\+Users\\+))([^\\/\s"':]+)/gi;
/** They say nothing of anybody. */
const COMMON_ADDRESS = /^(?:127\.|0\.0\.0\.0$|255\.|::1$)/;
const SHORTEST_NAME = 3;

/** Gives names of hosts and people, addresses and MACs the same stand-in wherever they stand in a bundle. */
export class NameRedaction {
  readonly #names: readonly string[];
  readonly #standIns = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** @param names of hosts and people, as far as they are known */
  constructor(names: readonly string[]) {
    const known = new Set(names.filter((name) => name.length >= SHORTEST_NAME && name !== 'localhost'));
    this.#names = [...known].sort((one, other) => other.length - one.length);
  }

  apply(text: string): string {
    let redacted = text;
    for (const name of this.#names) {
      const pattern = new RegExp(
        `(?<![\\w-])${name.replaceAll(/[.*+?^$${}()|[\]\\]/g, '\\$&')}(?![\\w-])`,
        'gi',
      );
      redacted = redacted.replace(pattern, () => this.#standIn('name', name.toLowerCase()));
    }
    return redacted
      .replace(HOME, (_whole, before: string, user: string) => `${before}${this.#standIn('user', user)}`)
      .replace(MAC, (mac) => this.#standIn('mac', mac.toLowerCase().replaceAll('-', ':')))
      .replace(IPV4, (address) => this.#address(address))
      .replace(IPV6, (address) => this.#address(address.toLowerCase()));
  }

  #address(address: string): string {
    return COMMON_ADDRESS.test(address) ? address : this.#standIn('address', address);
  }

  #standIn(kind: string, what: string): string {
    const key = `${kind} ${what}`;
    const known = this.#standIns.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const made = `${kind}-${count}`;
    this.#standIns.set(key, made);
    return made;
  }
}
