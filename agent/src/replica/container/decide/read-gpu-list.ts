const UUID = /\b((?:GPU|MIG)-[0-9a-fA-F][0-9a-fA-F-]{7,})\b/g;

/** The UUIDs in what `nvidia-smi -L` prints, upper and lower case made one. */
function readGpuList(output: string): string[] {
  return [...output.slice(0, 65_536).matchAll(UUID)].map(([, uuid = '']) => normal(uuid));
}

/** What `nvidia-smi -L` inside a container says of the cards that it was given. `null`: they are all there. */
export function judgeGpuList(
  run: { readonly exitCode: number; readonly output: string },
  wanted: readonly string[] | null,
): string | null {
  const seen = readGpuList(run.output);
  const said = run.output.replace(/\s+/g, ' ').trim().slice(0, 200);
  if (seen.length === 0) {
    return run.exitCode === 0
      ? `nvidia-smi -L inside the container lists no card${said === '' ? '.' : `: ${said}`}`
      : `nvidia-smi -L inside the container ended with ${run.exitCode}: ${said === '' ? 'no output' : said}`;
  }
  // An adopted container's cards are its owner's choice: any will do.
  if (wanted === null) return null;
  const missing = wanted.filter((uuid) => !seen.includes(normal(uuid)));
  if (missing.length === 0) return null;
  return `The container sees ${seen.join(', ')}, and not ${missing.join(', ')}.`;
}

function normal(uuid: string): string {
  return `${uuid.slice(0, 4).toUpperCase()}${uuid.slice(4).toLowerCase()}`;
}
