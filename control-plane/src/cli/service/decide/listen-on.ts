const EVERY: ReadonlySet<string> = new Set(['0.0.0.0', '::', '127.0.0.1', 'localhost']);

/** Addresses that were asked for, with loopback: the commands on the machine itself use it. */
export function listenOn(hosts: readonly string[]): string[] {
  const wanted = hosts.flatMap((each) => each.split(',')).map((each) => each.trim().replace(/^\[|\]$/g, ''));
  const distinct = [...new Set(wanted.filter((each) => each !== ''))];
  return distinct.some((each) => EVERY.has(each)) ? distinct : ['127.0.0.1', ...distinct];
}
