const GUID = /MachineGuid\s+REG_SZ\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$/im;

/** The GUID in what `reg query … /v MachineGuid` prints; `null` for anything else. */
export function parseMachineGuid(output: string): string | null {
  return GUID.exec(output)?.[1]?.toLowerCase() ?? null;
}
