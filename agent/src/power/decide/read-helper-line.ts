export type HelperVerb = 'hold' | 'release' | 'suspend' | 'hibernate';

export type HelperWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ok'; readonly verb: HelperVerb }
  /** `code` is Windows' own. */
  | { readonly kind: 'failed'; readonly verb: HelperVerb; readonly code: number };

const LINE = /^(?:(ready)|(ok|failed) (hold|release|suspend|hibernate)(?: (\d{1,10}))?)$/;

/** What the helper on Windows says; `null`: a profile or a policy of the machine said something in between. */
export function readHelperLine(line: string): HelperWord | null {
  const [whole, ready, result, verb, code] = LINE.exec(line.trim()) ?? [];
  if (whole === undefined) return null;
  if (ready !== undefined) return { kind: 'ready' };
  const known = verb as HelperVerb;
  return result === 'ok'
    ? { kind: 'ok', verb: known }
    : { kind: 'failed', verb: known, code: Number(code ?? 0) };
}
