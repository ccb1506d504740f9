/** Bytes for people, as every surface has them: in GiB with one decimal, as the memory of cards is counted. */
export function gibText(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
