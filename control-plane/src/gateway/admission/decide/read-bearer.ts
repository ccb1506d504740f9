/** As Anthropic's clients present a key. @returns `null` where the header holds none */
export function readApiKey(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null;
  return /^\S+$/.test(header) ? header : null;
}

/** @param authorization the header. @returns the token of the `Bearer` scheme, `null` where there is none */
export function readBearer(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  return token ?? null;
}
