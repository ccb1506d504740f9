/** A journal that was printed with the newest entry first. What is indented belongs to the entry above it. */
export function oldestFirst(text: string): string {
  const entries: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const last = entries.at(-1);
    if (last !== undefined && /^\s/.test(line)) entries[entries.length - 1] = `${last}\n${line}`;
    else entries.push(line);
  }
  return entries
    .reverse()
    .map((entry) => `${entry}\n`)
    .join('');
}
