import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const heartbeatMs = 15_000;

/**
 * Shows what set-up is doing: on a terminal one line that is rewritten each second and gone at the end,
 * elsewhere a line per step and one every 15 s within a long one. Always on stderr: stdout belongs to the
 * command that set-up is for (`--json` promises its last line).
 *
 * @typedef {object} Progress
 * @property {(step: string) => void} step
 * @property {(line: string) => void} say a line that stays
 * @property {() => void} close
 */

/** @returns {Progress} */
export function startProgress() {
  return process.stderr.isTTY ? rewriteOneLine() : printSteps();
}

/** @returns {Progress} */
function rewriteOneLine() {
  const startedMs = performance.now();
  let current = '';
  const draw = () => {
    if (current === '') return;
    // A terminal of unknown width says 0.
    const width = Math.max(20, (process.stderr.columns || 80) - 1);
    write(`\r\u001b[2K${`[${elapsedSeconds(startedMs)} s] ${current}`.slice(0, width)}`);
  };
  const clear = () => write(current === '' ? '' : '\r\u001b[2K');
  const ticking = setInterval(draw, 1000);
  return {
    step(step) {
      if (step === current) return;
      current = step;
      draw();
    },
    say(line) {
      clear();
      write(`${line}\n`);
      draw();
    },
    close() {
      clearInterval(ticking);
      clear();
      current = '';
    },
  };
}

/** @returns {Progress} */
function printSteps() {
  const startedMs = performance.now();
  let current = '';
  let shown = '';
  const print = () => write(`[${elapsedSeconds(startedMs)} s] ${current}\n`);
  const ticking = setInterval(() => {
    if (current !== '') print();
  }, heartbeatMs);
  return {
    step(step) {
      current = step;
      const kind = step.replace(/ \(\d+ of \d+\)$/, '');
      if (kind === shown) return;
      shown = kind;
      print();
    },
    say(line) {
      write(`${line}\n`);
    },
    close() {
      clearInterval(ticking);
      current = '';
    },
  };
}

/** @param {number} startedMs */
function elapsedSeconds(startedMs) {
  return Math.round((performance.now() - startedMs) / 1000);
}

/** @param {string} text */
function write(text) {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads stderr (closed, or a full non-blocking pipe): progress is a courtesy, set-up goes on.
  }
}
