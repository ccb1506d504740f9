import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { keyProofText } from '@ai-fabric/shared';
import type { Hello } from '../decide/link-lifecycle.js';

/** A key as an agent has it. */
export interface AgentKey {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function newAgentKey(): AgentKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), privateKey };
}

/** A hello that holds. What `more` changes is changed before it is signed, the proof itself apart. */
export function signedHello(
  key: AgentKey,
  nonce: string,
  certificateSha256: string,
  more: Partial<Hello> = {},
): Hello {
  const hello = {
    protocolVersion: 1,
    agentVersion: '0.1.0',
    publicKey: key.publicKey,
    hostName: 'motoko',
    machineSha256: 'ab'.repeat(32),
    bootId: 'boot-1',
    instanceId: 'instance-1',
    proof: '',
    ...more,
  };
  const { publicKey, instanceId } = hello;
  const text = keyProofText({ nonce, certificateSha256, publicKey, instanceId });
  const proof = more.proof ?? sign(null, Buffer.from(text), key.privateKey).toString('base64');
  return { ...hello, proof };
}
