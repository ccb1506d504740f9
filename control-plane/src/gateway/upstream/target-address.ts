/** Where a request goes, and the path there. */
export type TargetAddress =
  /** Such as `http://192.168.1.20:8000`. */
  | { readonly kind: 'origin'; readonly origin: string; readonly path: string }
  /** To the engine of a deployment, through the tunnel that the agent of its host opened. */
  | { readonly kind: 'tunnel'; readonly host: string; readonly deployment: string; readonly path: string };

interface Base {
  readonly origin: string;
  /** Without a trailing slash; up to and with `/v1`. */
  readonly path: string;
}

const MAX_BASES = 1_024;

/** Remembers how declared URLs split, so that none is parsed on the request path twice. */
export class TargetAddresses {
  readonly #bases = { engine: new Map<string, Base>(), provider: new Map<string, Base>() };

  /**
   * @param url of an engine (with or without `/v1`) or of a provider (up to and with its `/v1`)
   * @param endpointPath behind `/v1`
   * @throws TypeError where the URL is none; the reader of the declared state lets no such pass
   */
  resolve(
    url: string,
    endpointPath: string,
    kind: 'engine' | 'provider',
  ): Extract<TargetAddress, { kind: 'origin' }> {
    const bases = this.#bases[kind];
    let base = bases.get(url);
    if (base === undefined) {
      if (bases.size >= MAX_BASES) bases.clear();
      base = splitUrl(url, kind);
      bases.set(url, base);
    }
    return { kind: 'origin', origin: base.origin, path: base.path + endpointPath };
  }
}

function splitUrl(url: string, kind: 'engine' | 'provider'): Base {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, '');
  if (kind === 'provider' || path.endsWith('/v1')) return { origin, path };
  return { origin, path: `${path}/v1` };
}
