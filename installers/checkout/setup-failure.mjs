/** Set-up cannot go on, and the message says what, where and what to do: it is shown without a stack. */
export class SetupFailure extends Error {
  /**
   * @param {string} message
   * @param {number} [exitCode] 130 where a signal ended it
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupFailure';
    this.exitCode = exitCode;
  }
}
