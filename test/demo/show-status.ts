/** What the live screen needs of the world. */
export interface StatusSource {
  /** @throws where the control plane does not answer in time */
  readScreen(): Promise<readonly string[]>;
  /** `null` while the control plane runs; else how it ended, with the end of its log. */
  endOfControlPlane(): string | null;
}

export interface StatusView {
  /** In place of what was drawn before. */
  draw(lines: readonly string[]): void;
  /** Until the next look, or earlier where the demo is told to end. */
  pause(): Promise<void>;
  ended(): boolean;
}

/**
 * Draws the status until the demo is told to end. A poll that fails leaves the last screen, with a line that says so:
 * a busy machine answers late.
 *
 * @throws Error when the control plane has ended by itself
 */
export async function showStatus(source: StatusSource, view: StatusView): Promise<void> {
  let screen: readonly string[] = [];
  while (!view.ended()) {
    let note: readonly string[] = [];
    try {
      screen = await source.readScreen();
    } catch (error) {
      note = ['', `(no answer just now, asking again: ${error instanceof Error ? error.message : error})`];
    }
    if (view.ended()) return;
    const end = source.endOfControlPlane();
    if (end !== null) throw new Error(`The control plane ended by itself:\n${end}`);
    view.draw([...screen, ...note]);
    await view.pause();
  }
}
