import type { EventEmitter } from 'node:events';

/** As a shell tells of a program that SIGPIPE ended; Node's programs ignore that signal. */
const READER_GONE = 141;

/**
 * Whoever reads the output may have had enough (`ai-fabric doctor | head -1`): the program then ends without a word.
 *
 * @param end takes the exit code
 */
export function endWithReader(outputs: readonly EventEmitter[], end: (exitCode: number) => void): void {
  for (const output of outputs) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      // EOF is what Windows calls it.
      if (error.code !== 'EPIPE' && error.code !== 'EOF') throw error;
      end(READER_GONE);
    });
  }
}
