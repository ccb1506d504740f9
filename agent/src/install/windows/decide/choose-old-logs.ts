/** As the wrapper names what it put aside: `agent-20261130T011500.123.log`. */
const ROTATED = /^agent-\d{8}T\d{6}(?:\.\d+)?\.log$/;

/** Which logs go: all that were put aside but the `keep` newest. The wrapper itself removes none. */
export function chooseOldLogs(names: readonly string[], keep: number): readonly string[] {
  const rotated = names.filter((name) => ROTATED.test(name)).sort();
  return rotated.slice(0, Math.max(0, rotated.length - keep));
}
