/** Environment variables, as a value: `config/` alone reads the process's. */
export interface Environment {
  readonly [name: string]: string | undefined;
}

/** The process's own, as it is now. */
export function processEnvironment(): Environment {
  return { ...process.env };
}
