/** For programs of the benchmarks: answers what the benchmark asks, and ends with it. */
export function answerParent<Question>(answer: (question: Question) => unknown): void {
  process.on('message', (question: Question) => {
    void Promise.resolve(answer(question)).then((message) => process.send?.(message ?? {}));
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  // Ctrl-C reaches the whole terminal; the benchmark ends us in its own order.
  process.on('SIGINT', () => undefined);
}
