import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import {
  type AgentFrame,
  decodeServerFrame,
  describeReplica,
  encodeFrame,
  type FrameBody,
  keyProofText,
  LINK_PATH,
  normaliseCertificateSha256,
  PROTOCOL_VERSION,
  type ReplicaStatus,
  type ServerFrame,
  type TelemetrySample,
} from '@ai-fabric/shared';
import WebSocket from 'ws';
import { eventually } from '../simulators/common/eventually.js';

type FramesOf<Type extends ServerFrame['type']> = FrameBody<ServerFrame, Type>;

export interface LightHostOptions {
  readonly tlsUrl: string;
  readonly name: string;
  /** Left out where the host has joined before. */
  readonly joinToken?: string;
  /** The same in two hosts: one has a copy of the other's key. */
  readonly keys?: ReturnType<typeof hostKeys>;
  /** Names the machine. */
  readonly machine?: string;
  /** How far its clock is ahead. */
  readonly clockAheadMs?: number;
  readonly agentVersion?: string;
  readonly protocolVersion?: number;
  /** What it says to a command instead of "done"; `null`: that. */
  readonly refuses?: (name: FramesOf<'command'>['command']['name']) => string | null;
  /** Told of each command, after it was answered. */
  readonly onCommand?: (name: FramesOf<'command'>['command']['name']) => void;
}

export function hostKeys() {
  return generateKeyPairSync('ed25519');
}

/** A host without an agent: a real key, a real link, and reports that a test makes up. It answers each command "done", unless told otherwise. */
export class LightHost {
  readonly #options: LightHostOptions;
  readonly #keys: ReturnType<typeof hostKeys>;
  readonly #frames: ServerFrame[] = [];
  readonly #socket: WebSocket;
  #certificateSha256 = '';
  #sent = 0;
  #seq = 0;

  constructor(options: LightHostOptions) {
    this.#options = options;
    this.#keys = options.keys ?? hostKeys();
    // It pins nothing: what the control plane makes of it is what a test looks at.
    const url = `${options.tlsUrl.replace(/^https/, 'wss')}${LINK_PATH}`;
    this.#socket = new WebSocket(url, {
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      perMessageDeflate: false,
    });
    this.#socket.on('upgrade', (response) => {
      const fingerprint = (response.socket as TLSSocket).getPeerCertificate().fingerprint256;
      this.#certificateSha256 = normaliseCertificateSha256(fingerprint ?? '');
    });
    this.#socket.on('message', (data) => this.#take(String(data)));
    // A connection that fails shows in what never comes.
    this.#socket.on('error', () => undefined);
  }

  /** Dials and says who it is. Resolves at the welcome, or at the goodbye with its reason. */
  async link(): Promise<FramesOf<'welcome'> | FramesOf<'goodbye'>> {
    await eventually('a welcome or a goodbye', () => this.#last('welcome') !== null || this.goodbye !== null);
    return this.#last('welcome') ?? (this.goodbye as FramesOf<'goodbye'>);
  }

  get goodbye(): FramesOf<'goodbye'> | null {
    return this.#last('goodbye');
  }

  get isLinked(): boolean {
    return this.#last('welcome') !== null && this.#socket.readyState === WebSocket.OPEN;
  }

  report(body: Omit<FrameBody<AgentFrame, 'report'>, 'seq'>): void {
    this.#seq += 1;
    this.#say({ type: 'report', body: { seq: this.#seq, ...body } });
  }

  /** Reports these deployments as ready. */
  serve(...deployments: readonly string[]): void {
    this.report({ replicas: deployments.map(readyReplica) });
  }

  /** A reading of now, or of `agoMs` before, by its own clock. */
  reportSample(agoMs = 0): TelemetrySample {
    const sample = plainSample(this.#nowMs() - agoMs);
    this.report({ telemetry: [{ atMs: sample.atMs, host: sample.host }], backfill: agoMs > 0 });
    return sample;
  }

  /** Says why it goes, and goes. */
  async sayGoodbye(reason: FramesOf<'goodbye'>['reason']): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#say({ type: 'goodbye', body: { reason, detail: '' } });
    await new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.close();
    });
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    // Not "once": a connection that was not made yet ends with an error too.
    await new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.terminate();
    });
  }

  #last<Type extends ServerFrame['type']>(type: Type): FramesOf<Type> | null {
    const frame = this.#frames.findLast((each) => each.type === type);
    return (frame?.body ?? null) as FramesOf<Type> | null;
  }

  #take(text: string): void {
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw new Error(decoded.refusal.detail);
    const { frame } = decoded;
    // Acks and commands come for as long as it lives; nobody asks for more than these two.
    if (frame.type === 'welcome' || frame.type === 'goodbye') this.#frames.push(frame);
    if (frame.type === 'challenge') this.#sayHello(frame.body.nonce);
    if (frame.type === 'command') {
      const { commandId, command } = frame.body;
      const code = this.#options.refuses?.(command.name) ?? null;
      const result = code === null ? 'done' : 'refused';
      this.#say({ type: 'outcome', body: { commandId, result, code, detail: null } });
      this.#options.onCommand?.(command.name);
    }
  }

  #sayHello(nonce: string): void {
    const { name, joinToken, machine = 'one' } = this.#options;
    const { agentVersion = '0.1.0', protocolVersion = PROTOCOL_VERSION } = this.#options;
    const publicKey = this.#keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const instanceId = randomUUID();
    const text = keyProofText({ nonce, certificateSha256: this.#certificateSha256, publicKey, instanceId });
    this.#say({
      type: 'hello',
      body: {
        protocolVersion,
        agentVersion,
        publicKey,
        proof: sign(null, Buffer.from(text), this.#keys.privateKey).toString('base64'),
        hostName: name,
        machineSha256: createHash('sha256').update(machine).digest('hex'),
        bootId: 'boot-1',
        instanceId,
        ...(joinToken === undefined ? {} : { joinToken }),
      },
    });
  }

  #nowMs(): number {
    return Date.now() + (this.#options.clockAheadMs ?? 0);
  }

  #say(part: FramePart): void {
    this.#sent += 1;
    this.#socket.send(encodeFrame({ id: `a${this.#sent}`, sentAtMs: this.#nowMs(), ...part } as AgentFrame));
  }
}

type FramePart = {
  [Type in AgentFrame['type']]: { readonly type: Type; readonly body: FrameBody<AgentFrame, Type> };
}[AgentFrame['type']];

function readyReplica(deployment: string): ReplicaStatus {
  return describeReplica({ deployment, phase: 'ready', engineVersion: '0.32.0' });
}

function plainSample(atMs: number): TelemetrySample {
  const host = {
    cpuRatio: 0.25,
    memoryUsedBytes: 4e9,
    memoryTotalBytes: 16e9,
    diskUsedBytes: 1e11,
    diskTotalBytes: 5e11,
    networkReceivedBytesPerSecond: 0,
    networkSentBytesPerSecond: 0,
  };
  return { atMs, host, gpus: {}, replicas: {} };
}
