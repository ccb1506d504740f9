// A thread that runs `ai-fabric` as it is built, again and again: each call loads the program's first file anew, and what
// that one needs once. Its data: { program }, the address of that file. A message is a call's arguments; the answer is
// what the program would have said and ended with.
import { parentPort, workerData } from 'node:worker_threads';

const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (chunk, encoding, done) => {
    said[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    (typeof encoding === 'function' ? encoding : done)?.();
    return true;
  };
}

let calls = 0;
parentPort.on('message', async (args) => {
  Object.assign(said, { stdout: '', stderr: '' });
  process.exitCode = undefined;
  process.argv = [process.execPath, 'ai-fabric', ...args];
  calls += 1;
  try {
    await import(`${workerData.program}?call=${calls}`);
  } catch (error) {
    said.stderr += `${error instanceof Error ? error.stack : error}\n`;
    process.exitCode = 1;
  }
  // Each call looks out for a reader that goes.
  for (const output of [process.stdout, process.stderr]) output.removeAllListeners('error');
  parentPort.postMessage({ exitCode: process.exitCode ?? 0, ...said });
});
