import { once } from 'node:events';

/** Prints lines as they come, no faster than they are taken. A reader that leaves, as `head` does, ends it quietly. */
export async function printLines(lines: AsyncIterable<string>): Promise<void> {
  const { stdout } = process;
  let left = false;
  const leave = () => {
    left = true;
  };
  stdout.once('error', leave);
  for await (const line of lines) {
    if (left) return;
    if (!stdout.write(`${line}\n`))
      await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(leave);
  }
}
