/** A connection, as far as it matters to who is to go. */
export interface EndableConnection {
  /** `unasked`: it has sent no whole head of a request yet; `idle`: all that it asked is answered. */
  readonly state: 'unasked' | 'idle' | 'busy';
  /** Grows with each connection and each request: the lowest was heard of the longest ago. */
  readonly sequence: number;
  /** Sweeps, a second apart, since it was last heard of: two are a second at the least. */
  readonly quietSweeps: number;
}

/** A client with a slow way here has said what it wants by then. */
const UNASKED_SWEEPS = 2;
/** Who uses a connection all the time is heard of more often. */
const SPARED_SWEEPS = 2;

/**
 * Who makes room where a listener is full, first to last: those that came and asked nothing, then the idle ones, of
 * both the longest silent first. While many have asked nothing, who was answered within the last second is spared:
 * else a flood would end the connections of everybody who uses theirs.
 *
 * @param most how many are wanted at the most
 */
export function pickConnectionsToEnd<Connection extends EndableConnection>(
  connections: Iterable<Connection>,
  most: number,
): Connection[] {
  const unasked: Connection[] = [];
  const idle: Connection[] = [];
  let all = 0;
  let silent = 0;
  for (const connection of connections) {
    all++;
    if (connection.state === 'idle') idle.push(connection);
    else if (connection.state === 'unasked') {
      silent++;
      if (connection.quietSweeps >= UNASKED_SWEEPS) unasked.push(connection);
    }
  }
  const isFlooded = silent > all / 4;
  const endable = isFlooded ? idle.filter(({ quietSweeps }) => quietSweeps >= SPARED_SWEEPS) : idle;
  return [...unasked.sort(bySequence), ...endable.sort(bySequence)].slice(0, most);
}

function bySequence(one: EndableConnection, other: EndableConnection): number {
  return one.sequence - other.sequence;
}
