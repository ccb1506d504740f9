import type { GpuReading, Issue } from '@ai-fabric/shared';
import { gpuLost } from './classify-tool-failure.js';
import type { GpuRow } from './parse-gpu-csv-line.js';

interface Card {
  readonly uuid: string;
  readonly index: number | null;
  readonly busId: string | null;
  readonly reading: GpuReading;
  /** Monotonic. */
  readonly atMs: number;
  /** Whole ticks in a row without this card. */
  readonly missedTicks: number;
  readonly lost: boolean;
}

/** What is known of the host's cards from the lines so far. A tick is one line per card. */
export interface CardBook {
  readonly cards: Readonly<Record<string, Card>>;
  /** UUIDs of the tick under way. */
  readonly tick: readonly string[];
  /** Where lost cards sit whose UUID was never learnt: a PCI address or "index 1". */
  readonly lostUnnamed: readonly string[];
}

/** One line may be cut or garbled; two ticks without a card are a fact. */
const MISSED_TICKS_UNTIL_LOST = 2;
/** The wire carries no more; more is not a host but a fault. */
const MAX_CARDS = 32;

export const emptyCardBook: CardBook = { cards: {}, tick: [], lostUnnamed: [] };

/** A new run of the tool: its first tick begins with its first line. */
export function beginRun(book: CardBook): CardBook {
  return { ...book, tick: [] };
}

/** Takes in one row at the monotonic time `atMs`. A UUID that comes again begins the next tick. */
export function recordRow(book: CardBook, row: GpuRow, atMs: number): CardBook {
  const uuid = row.uuid ?? findCard(book, row)?.uuid ?? null;
  if (uuid === null) return recordLostUnnamed(book, row.busId ?? indexPlace(row.index));
  const known = book.cards[uuid];
  if (!known && Object.keys(book.cards).length >= MAX_CARDS) return book;
  const turned = book.tick.includes(uuid) ? endTick(book) : book;
  const card: Card = {
    uuid,
    index: row.index ?? known?.index ?? null,
    busId: row.busId ?? known?.busId ?? null,
    reading: row.reading,
    atMs,
    missedTicks: 0,
    lost: row.lost,
  };
  return {
    cards: { ...turned.cards, [uuid]: card },
    tick: [...turned.tick, uuid],
    // Lost or not, it has a name from here on.
    lostUnnamed: turned.lostUnnamed.filter((where) => !isAt(card, where)),
  };
}

/** The tool named a card by its PCI address and would not go on because of it. */
export function recordLostCard(book: CardBook, busId: string): CardBook {
  const card = Object.values(book.cards).find((candidate) => candidate.busId === busId);
  if (!card) return recordLostUnnamed(book, busId);
  return { ...book, cards: { ...book.cards, [card.uuid]: { ...card, lost: true } } };
}

/** PCI addresses of the cards that are not lost. */
export function healthyBusIds(book: CardBook): readonly string[] {
  return Object.values(book.cards).flatMap((card) => (card.lost || card.busId === null ? [] : [card.busId]));
}

/** The PCI address of the host's only card, `null` when there are several or none. */
export function onlyCard(book: CardBook): string | null {
  const cards = Object.values(book.cards);
  return cards.length === 1 ? (cards[0]?.busId ?? null) : null;
}

/** Readings no older than `freshForMs`, by UUID; a lost card has none. */
export function freshReadings(book: CardBook, nowMs: number, freshForMs: number): Record<string, GpuReading> {
  const readings: Record<string, GpuReading> = {};
  for (const card of Object.values(book.cards)) {
    if (!card.lost && nowMs - card.atMs <= freshForMs) readings[card.uuid] = card.reading;
  }
  return readings;
}

/** One `gpu_lost` per lost card; it clears when the card's next good row comes. */
export function lostCardIssues(book: CardBook): readonly Issue[] {
  const named = Object.values(book.cards).filter((card) => card.lost);
  return [
    ...named.map((card) =>
      gpuLost(
        card.uuid,
        `GPU ${card.index ?? '?'} at ${card.busId ?? 'an unknown address'} is lost: it no longer answers.`,
      ),
    ),
    ...book.lostUnnamed.map((where) => gpuLost(where, `The GPU at ${where} is lost: it does not answer.`)),
  ];
}

function indexPlace(index: number | null): string {
  return `index ${index ?? '?'}`;
}

function isAt(card: Card, where: string): boolean {
  return where === card.busId || where === indexPlace(card.index);
}

function findCard(book: CardBook, row: GpuRow): Card | undefined {
  const cards = Object.values(book.cards);
  if (row.busId !== null) return cards.find((card) => card.busId === row.busId);
  return cards.find((card) => card.index === row.index);
}

function recordLostUnnamed(book: CardBook, where: string): CardBook {
  if (book.lostUnnamed.includes(where) || book.lostUnnamed.length >= MAX_CARDS) return book;
  return { ...book, lostUnnamed: [...book.lostUnnamed, where] };
}

function endTick(book: CardBook): CardBook {
  if (book.tick.length >= Object.keys(book.cards).length) return { ...book, tick: [] };
  const cards: Record<string, Card> = {};
  for (const card of Object.values(book.cards)) {
    const missedTicks = book.tick.includes(card.uuid) ? 0 : card.missedTicks + 1;
    cards[card.uuid] = { ...card, missedTicks, lost: card.lost || missedTicks >= MISSED_TICKS_UNTIL_LOST };
  }
  return { ...book, cards, tick: [] };
}
