/** A process or a service that may be a LiteLLM proxy. */
export interface LitellmCandidate {
  /** The service that it belongs to alone; `null`: none, so it cannot be stopped for good. */
  readonly unit: string | null;
  readonly processId: number;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  /** Ports that the process listens on. */
  readonly ports: readonly number[];
}

export interface FoundLitellm {
  readonly unit: string | null;
  readonly processId: number;
  /** Its config.yaml, absolute; `null`: it names none. */
  readonly configFile: string | null;
  readonly port: number;
}

export type LitellmSearch =
  | { readonly ok: true; readonly found: FoundLitellm | null }
  | { readonly ok: false; readonly detail: string };

/** What LiteLLM listens on where nothing is said. */
const LITELLM_PORT = 4000;

/**
 * Which of the processes of a machine is its LiteLLM proxy.
 *
 * @param wantedUnit where the operator named the service
 */
export function findLitellm(
  candidates: readonly LitellmCandidate[],
  wantedUnit: string | null,
): LitellmSearch {
  const proxies = candidates.filter((each) =>
    wantedUnit === null ? isLitellm(each.arguments) : each.unit === wantedUnit,
  );
  // Workers of one proxy have its arguments: the one that listens stands for them.
  const listening = proxies.filter(({ ports }) => ports.length > 0);
  const distinct = unique(listening.length > 0 ? listening : proxies);
  if (distinct.length > 1) {
    const names = distinct.map(({ unit, processId }) => unit ?? `process ${processId}`);
    return { ok: false, detail: `several run here: ${names.join(', ')}` };
  }
  const [proxy] = distinct;
  return { ok: true, found: proxy === undefined ? null : describe(proxy) };
}

function describe(proxy: LitellmCandidate): FoundLitellm {
  const { unit, processId, ports } = proxy;
  const config = option(proxy.arguments, ['--config', '-c']);
  const asked = Number(option(proxy.arguments, ['--port']) ?? LITELLM_PORT);
  const port = ports.includes(asked) ? asked : (ports[0] ?? asked);
  return {
    unit,
    processId,
    configFile: config === null ? null : absolute(config, proxy.workingDirectory),
    port,
  };
}

/** Started as `litellm …`, `python -m litellm …`, or by the script of that name. */
function isLitellm(args: readonly string[]): boolean {
  return args.slice(0, 4).some((each) => /(^|\/)litellm([-_.]proxy)?(\.py)?$/.test(each));
}

function unique(candidates: readonly LitellmCandidate[]): LitellmCandidate[] {
  const byOwner = new Map(candidates.map((each) => [each.unit ?? `process ${each.processId}`, each]));
  return [...byOwner.values()];
}

function option(args: readonly string[], names: readonly string[]): string | null {
  for (const [at, each] of args.entries()) {
    if (names.includes(each)) return args[at + 1] ?? null;
    const name = names.find((known) => each.startsWith(`${known}=`));
    if (name !== undefined) return each.slice(name.length + 1);
  }
  return null;
}

function absolute(path: string, directory: string): string {
  return path.startsWith('/') ? path : `${directory.replace(/\/$/, '')}/${path}`;
}
