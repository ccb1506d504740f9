import { readVllmArguments } from '../../simulators/vllm/read-vllm-arguments.js';
import { startVllmSimulator } from '../../simulators/vllm/start-vllm-simulator.js';

/**
 * The program in the image of the simulated vLLM. It is started with vLLM's own arguments.
 * `SIMULATED_LOAD_MS`: until it listens. `SIMULATED_DEATH`: last words, with which it ends instead of listening.
 * `SIMULATED_TOKENS_PER_SECOND`: of each answer; without it they come at once. `SIMULATED_REPLY_TOKENS`: that an answer
 * has at most. `SIMULATED_HOST`, `SIMULATED_PORT`: where it listens.
 */
const argv = process.argv.slice(2);
const loadMs = Number(process.env['SIMULATED_LOAD_MS'] ?? 0);
const tokensPerSecond = Number(process.env['SIMULATED_TOKENS_PER_SECOND'] ?? Number.POSITIVE_INFINITY);
const replyTokens = process.env['SIMULATED_REPLY_TOKENS'];
const lastWords = process.env['SIMULATED_DEATH'];

process.on('SIGTERM', () => process.exit(0));

console.log('INFO 11-24 22:00:00 [api_server.py:1899] vLLM API server version 0.32.0');
console.log(`INFO 11-24 22:00:01 [utils.py:325] non-default args: ${argv.join(' ')}`);
if (lastWords !== undefined) {
  setTimeout(() => {
    console.error(lastWords);
    process.exit(1);
  }, loadMs);
} else {
  const engine = await startVllmSimulator({
    ...readVllmArguments(argv, process.env),
    ...(replyTokens === undefined ? {} : { replyTokens: Number(replyTokens) }),
    host: process.env['SIMULATED_HOST'] ?? '0.0.0.0',
    port: Number(process.env['SIMULATED_PORT'] ?? 8000),
    load: 'on demand',
    speed: { decodeTokensPerSecond: tokensPerSecond },
  });
  console.log('INFO 11-24 22:00:02 [gpu_model_runner.py:2602] Starting to load model...');
  setTimeout(async () => {
    await engine.load();
    console.log('INFO:     Application startup complete.');
    // A crash on demand closes the port of the simulator; a real one takes the process along.
    setInterval(() => {
      if (!engine.listening) process.exit(1);
    }, 50);
  }, loadMs);
}
