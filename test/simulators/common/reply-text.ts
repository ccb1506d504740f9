import { seededRandom } from '@ai-fabric/shared/testing';
import { hashText } from './seeded.js';

/** Code points per simulated token: what English text comes to with today's tokenisers. */
const CHARACTERS_PER_TOKEN = 4;
const EXCERPT_CHARACTERS = 80;
const WORDS = ['amber', 'basalt', 'cedar', 'delta', 'ember', 'fjord', 'garnet', 'harbour', 'iris', 'juniper'];

export interface ReplyRequest {
  /** Who answers: the simulator's name. */
  readonly who: string;
  readonly model: string;
  /** Everything the reply may depend on. */
  readonly prompt: string;
  /** What the reply quotes, as in the last message of the user. */
  readonly quoted: string;
  /** Length of the reply in tokens; the sentence that says who answers is never cut. */
  readonly tokens: number;
}

export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / CHARACTERS_PER_TOKEN));
}

/** Cuts a text into pieces that stand for tokens. Joined, they are the text; no character is ever cut. */
export function tokenPieces(text: string): string[] {
  const characters = [...text];
  const pieces: string[] = [];
  for (let index = 0; index < characters.length; index += CHARACTERS_PER_TOKEN) {
    pieces.push(characters.slice(index, index + CHARACTERS_PER_TOKEN).join(''));
  }
  return pieces;
}

/** The reply to a prompt, in pieces: the same prompt gets the same reply, and every reply names its author. */
export function composeReply(request: ReplyRequest): string[] {
  const excerpt = [...request.quoted].slice(0, EXCERPT_CHARACTERS).join('');
  const pieces = tokenPieces(`This is ${request.who}, serving ${request.model}. You said: "${excerpt}".`);
  if (pieces.length >= request.tokens) return pieces;
  const random = seededRandom(hashText(request.prompt));
  let padding = '';
  const missing = (request.tokens - pieces.length) * CHARACTERS_PER_TOKEN;
  while (padding.length < missing) padding += ` ${WORDS[Math.floor(random() * WORDS.length)]}`;
  return [...pieces, ...tokenPieces(padding)].slice(0, request.tokens);
}
