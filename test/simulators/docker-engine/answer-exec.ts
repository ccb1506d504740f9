import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { frame } from './answer-streams.js';
import { type EngineExchange, readJson, sendJson } from './exchange.js';
import { EngineRefusal } from './options.js';

const wishSchema = z.object({ Cmd: z.array(z.string()).min(1) });

/** The programs that were asked to run in containers, and how they ended. Only `nvidia-smi -L` is known. */
export class Execs {
  readonly #execs = new Map<
    string,
    { readonly containerId: string; readonly argv: readonly string[]; exitCode: number | null }
  >();

  create(exchange: EngineExchange): void {
    const container = exchange.engine.get(exchange.caught[0] ?? '');
    if (container.state !== 'running')
      throw new EngineRefusal(409, `Container ${container.id} is not running`);
    const id = randomBytes(32).toString('hex');
    this.#execs.set(id, {
      containerId: container.id,
      argv: wishSchema.parse(readJson(exchange)).Cmd,
      exitCode: null,
    });
    sendJson(exchange, 201, { Id: id });
  }

  start(exchange: EngineExchange): void {
    const exec = this.#get(exchange);
    const { engine } = exchange;
    const { visibleUuids } = engine.get(exec.containerId);
    const program = exec.argv[0] ?? '';
    // The tool itself comes with the card: without one it is not in the container.
    if (program !== 'nvidia-smi' || visibleUuids.length === 0) {
      exec.exitCode = 127;
      const text = `OCI runtime exec failed: exec failed: unable to start container process: exec: "${program}": executable file not found in $PATH: unknown`;
      if (!engine.podman) throw new EngineRefusal(400, text);
      this.#write(exchange, `${text}\n`, 'stderr');
      return;
    }
    exec.exitCode = 0;
    const lines = visibleUuids.map((uuid, index) => {
      const name = engine.cards.find((card) => card.uuid === uuid)?.name ?? 'NVIDIA Graphics Device';
      return `GPU ${index}: ${name} (UUID: ${uuid})\n`;
    });
    this.#write(exchange, lines.join(''), 'stdout');
  }

  inspect(exchange: EngineExchange): void {
    const exec = this.#get(exchange);
    sendJson(exchange, 200, { Running: exec.exitCode === null, ExitCode: exec.exitCode });
  }

  #write({ response }: EngineExchange, text: string, stream: 'stdout' | 'stderr'): void {
    // As the real ones: neither a length nor chunks, the end of the connection is the end.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream', connection: 'close' });
    response.end(frame(stream, Buffer.from(text)));
  }

  #get({ caught }: EngineExchange): {
    readonly containerId: string;
    readonly argv: readonly string[];
    exitCode: number | null;
  } {
    const exec = this.#execs.get(caught[0] ?? '');
    if (exec === undefined) throw new EngineRefusal(404, `No such exec instance: ${caught[0]}`);
    return exec;
  }
}
