import { type RunResult, SystemdMachine, type SystemdMachineOptions } from '../../harness/systemd-machine.js';
import { eventually } from '../../simulators/common/eventually.js';

const UNIT = 'ai-fabric.service';
const READY_MS = 60_000;

/** Types a command as a person has it before them who may use sudo, which a small Debian does not have. */
export function typeCommand(
  machine: SystemdMachine,
  command: string,
  timeoutMs?: number,
): Promise<RunResult> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  return machine.run(['bash', '-c', `sudo() { "$@"; }\n${command}`], options);
}

/** The machine on which a control plane is installed by commands that are typed, and what tests ask of that one. */
export class ControlPlaneMachine {
  readonly machine: SystemdMachine;
  readonly #port: number;

  private constructor(machine: SystemdMachine, port: number) {
    this.machine = machine;
    this.#port = port;
  }

  /** Switched off. @param port of plain HTTP that its control plane will have */
  static async create(port: number, options: SystemdMachineOptions): Promise<ControlPlaneMachine> {
    return new ControlPlaneMachine(await SystemdMachine.create(options), port);
  }

  /** @returns what the command printed @throws Error with what it complained of */
  async type(command: string, timeoutMs?: number): Promise<string> {
    const { exitCode, stdout, stderr } = await typeCommand(this.machine, command, timeoutMs);
    if (exitCode === 0) return stdout;
    throw new Error(`${command} ended with ${exitCode}: ${stderr}${stdout}`);
  }

  /** What a command prints to a terminal. @throws Error with it where the command fails */
  async typeAtTerminal(command: string): Promise<string> {
    const typed = command.replace(/^sudo /, '');
    const shown = await this.machine.must(['script', '--quiet', '--return', '--command', typed, '/dev/null']);
    return shown.replaceAll('\r\n', '\n');
  }

  /** A call of the control API with the admin token. @throws Error with the answer when it is no success */
  async api<Body>(path: string): Promise<Body> {
    const token = this.machine.read('/var/lib/ai-fabric/admin.token').trim();
    const answer = await this.#get(`/api/v1${path}`, { authorization: `Bearer ${token}` });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as Body;
  }

  /** The control plane dies, and does not come back by itself. */
  async die(): Promise<void> {
    await this.machine.must(['systemctl', 'kill', '--signal=KILL', UNIT]);
    await this.machine.must(['systemctl', 'stop', UNIT]);
  }

  async comeBack(): Promise<void> {
    await this.machine.must(['systemctl', 'start', UNIT]);
    await eventually('the control plane is ready', async () => (await this.#get('/readyz')).ok, READY_MS);
  }

  #get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
  }
}
