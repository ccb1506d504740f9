/** Replicas could not be held down, or not for long enough. */
export class HoldDownError extends Error {
  override readonly name = 'HoldDownError';
  readonly code: 'released' | 'not_free';
  /** Whose cards are not free. */
  readonly deployments: readonly string[];

  constructor(code: HoldDownError['code'], deployments: readonly string[]) {
    super(
      code === 'released'
        ? 'It was let go before its cards were free.'
        : `These replicas did not give their cards back in time: ${deployments.join(', ')}.`,
    );
    this.code = code;
    this.deployments = deployments;
  }
}
