import { get } from 'node:http';
import { createServer } from 'node:net';
import { type ContainerEngine, openContainerEngine } from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';

/**
 * The agent's client of the container engine, as a program of Windows: `node pipe-client.mjs probe|run CARD_UUID`. It
 * prints what it saw as one line of JSON.
 */
const [task, uuid = ''] = process.argv.slice(2);
const signal = AbortSignal.timeout(60_000);
const engine = openContainerEngine({
  platform: process.platform,
  clock: systemClock(),
  log: pino({ level: 'silent' }),
});
console.log(JSON.stringify(task === 'run' ? await run(engine) : await engine.probe(signal)));
await engine.close();

async function run(containers: ContainerEngine): Promise<object> {
  const image = 'vllm/vllm-openai:v0.32.0';
  const kinds: string[] = [];
  const stop = new AbortController();
  let heard = (): void => {};
  const isHeard = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const watching = (async () => {
    for await (const { kind } of containers.events(stop.signal)) {
      kinds.push(kind);
      if (kind === 'remove') heard();
    }
  })();
  const progress: (number | null)[] = [];
  await containers.pull(image, { onProgress: ({ doneBytes }) => progress.push(doneBytes) }, signal);
  const hostPort = await freePort();
  const { id } = await containers.create(
    {
      ...{ name: 'ai-fabric-chat', image, command: ['--model', 'Qwen/Qwen2.5-7B'], environment: {} },
      ...{ labels: { 'io.ai-fabric.deployment': 'chat' }, gpus: { uuids: [uuid] } },
      publish: [{ hostAddress: '127.0.0.1', hostPort, containerPort: 8000 }],
      ...{ volumes: [], shmBytes: 1 << 30, memoryLimitBytes: null, securityLabelDisable: false },
    },
    signal,
  );
  await containers.start(id, signal);
  const health = await statusOf(hostPort, '/health');
  const card = await containers.exec(id, ['nvidia-smi', '-L'], signal);
  const log: string[] = [];
  for await (const { text } of containers.logs(id, { follow: false }, signal)) log.push(text);
  await containers.stop(id, 5, signal);
  const details = await containers.inspect(id, signal);
  await containers.remove(id, signal);
  await isHeard;
  stop.abort();
  await watching;
  return { lastProgress: progress.at(-1), health, card, log, state: details?.state, kinds };
}

/** Not fetch: it cannot connect under Wine. */
function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}
