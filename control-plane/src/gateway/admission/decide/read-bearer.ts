/** @param authorization the header. @returns the token of the `Bearer` scheme, `null` where there is none */
export function readBearer(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  return token ?? null;
}
