/** A number with what it counts, as "1 host" and "0 hosts". @param many where its plural is not its singular and an "s" */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
