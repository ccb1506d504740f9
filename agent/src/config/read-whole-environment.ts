/** All variables of this process, for whoever has to know what in them is a secret. */
export function readWholeEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
