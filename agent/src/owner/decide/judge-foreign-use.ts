/** What one card shows; `null`: its driver does not tell. */
export interface CardSample {
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
  readonly utilisationRatio: number | null;
}

/** What of a card is the fabric's own. */
export type OwnUse =
  /** Something of ours starts, loads or ends: whose memory it is cannot be told. */
  | { readonly kind: 'moving' }
  | {
      readonly kind: 'steady';
      /** Names what runs on it: with another one, what it takes is measured anew. */
      readonly signature: string;
      /** What it is known to take; `null`: something runs of which that is not known. */
      readonly bytes: number | null;
      /** It works for us, or did a moment ago: its utilisation is ours. */
      readonly busy: boolean;
    };

/** What the desktop usually takes of a card, and what of ours was measured. A value. */
export interface CardBaseline {
  readonly desktopBytes: number | null;
  readonly desktopUtilisationRatio: number | null;
  readonly own: OwnMeasure | null;
  /** monotonic */
  readonly seenAtMs: number | null;
}

interface OwnMeasure {
  readonly signature: string;
  readonly bytes: number;
  /** How much it may still grow while it works. */
  readonly growthBytes: number;
}

/** Of others, above what the desktop usually takes; `null`: it cannot be told now. */
export interface ForeignUse {
  readonly vramBytes: number | null;
  readonly utilisationRatio: number | null;
}

export const NO_BASELINE: CardBaseline = {
  desktopBytes: null,
  desktopUtilisationRatio: null,
  own: null,
  seenAtMs: null,
};
export const UNKNOWN_USE: ForeignUse = { vramBytes: null, utilisationRatio: null };

const GIB = 1024 ** 3;
/** A desktop takes so much at most, or a quarter of a large card: what is there at the first look may be a game. */
const DESKTOP_AT_MOST_BYTES = 1.5 * GIB;
const DESKTOP_AT_MOST_RATIO = 0.25;
const DESKTOP_UTILISATION_AT_MOST = 0.2;
/** An engine takes more with its first requests. */
const GROWTH_BYTES = GIB;
const FALLS_WITHIN_MS = 60_000;
const RISES_WITHIN_MS = 900_000;
const UTILISATION_WITHIN_MS = 300_000;
/** A longer gap is a sleep, of which nobody knows what the desktop took. */
const LONGEST_GAP_MS = 10_000;

/**
 * What of a card others use, and what was learnt from the sample. The desktop's share is learnt slowly upwards and
 * quickly downwards, and not at all from what counts as use.
 *
 * @param countsBytes so much above the desktop's share is use, not desktop
 * @param nowMs monotonic
 */
export function judgeForeignUse(
  before: CardBaseline,
  sample: CardSample,
  own: OwnUse,
  countsBytes: number,
  nowMs: number,
): { readonly baseline: CardBaseline; readonly use: ForeignUse } {
  if (own.kind === 'moving') {
    return { baseline: { ...before, own: null, seenAtMs: nowMs }, use: UNKNOWN_USE };
  }
  const gapMs = Math.min(LONGEST_GAP_MS, nowMs - (before.seenAtMs ?? nowMs));
  const memory = judgeMemory(before, sample, own, countsBytes, gapMs);
  const work = judgeWork(before, sample, own, isUse(memory.use, countsBytes), gapMs);
  return {
    baseline: {
      desktopBytes: memory.desktopBytes,
      desktopUtilisationRatio: work.desktopRatio,
      own: memory.own,
      seenAtMs: nowMs,
    },
    use: { vramBytes: memory.use, utilisationRatio: work.use },
  };
}

type Steady = Extract<OwnUse, { kind: 'steady' }>;

function judgeMemory(
  before: CardBaseline,
  { usedBytes, totalBytes }: CardSample,
  own: Steady,
  countsBytes: number,
  gapMs: number,
): { desktopBytes: number | null; own: OwnMeasure | null; use: number | null } {
  if (usedBytes === null) return { desktopBytes: before.desktopBytes, own: before.own, use: null };
  const mostBytes = Math.max(DESKTOP_AT_MOST_BYTES, (totalBytes ?? 0) * DESKTOP_AT_MOST_RATIO);
  const known = before.own?.signature === own.signature ? before.own : null;
  const measured = known ?? measureOwn(own, usedBytes, before.desktopBytes, mostBytes);
  // What is used altogether is more than what of it is ours.
  const ownBytes = Math.min(measured.bytes, usedBytes);
  const othersBytes = usedBytes - ownBytes;
  const desktopBytes = before.desktopBytes ?? Math.min(othersBytes, mostBytes);
  const excess = Math.max(0, othersBytes - desktopBytes);
  const grown = own.busy ? Math.min(excess, measured.growthBytes) : 0;
  const use = excess - grown;
  const moved = isUse(use, countsBytes) ? desktopBytes : follow(desktopBytes, othersBytes - grown, gapMs);
  return {
    desktopBytes: Math.min(moved, mostBytes),
    own: {
      signature: own.signature,
      bytes: ownBytes + grown,
      growthBytes: measured.growthBytes - grown,
    },
    use,
  };
}

/** Of what is not known, all that is not the desktop's is ours at first. */
function measureOwn(
  { signature, bytes }: Steady,
  usedBytes: number,
  desktopBytes: number | null,
  mostBytes: number,
): OwnMeasure {
  const guess = usedBytes - Math.min(usedBytes, desktopBytes ?? mostBytes);
  return { signature, bytes: bytes ?? guess, growthBytes: GROWTH_BYTES };
}

function judgeWork(
  { desktopUtilisationRatio }: CardBaseline,
  { utilisationRatio }: CardSample,
  { busy }: Steady,
  memoryIsUsed: boolean,
  gapMs: number,
): { desktopRatio: number | null; use: number | null } {
  if (utilisationRatio === null || busy) return { desktopRatio: desktopUtilisationRatio, use: null };
  const usual = desktopUtilisationRatio ?? Math.min(utilisationRatio, DESKTOP_UTILISATION_AT_MOST);
  const learnt = memoryIsUsed
    ? usual
    : usual + (utilisationRatio - usual) * share(gapMs, UTILISATION_WITHIN_MS);
  return {
    desktopRatio: Math.min(learnt, DESKTOP_UTILISATION_AT_MOST),
    use: Math.max(0, utilisationRatio - usual),
  };
}

function isUse(use: number | null, countsBytes: number): boolean {
  return use !== null && use > 0 && use >= countsBytes;
}

function follow(value: number, towards: number, gapMs: number): number {
  return value + (towards - value) * share(gapMs, towards < value ? FALLS_WITHIN_MS : RISES_WITHIN_MS);
}

function share(gapMs: number, withinMs: number): number {
  return 1 - Math.exp(-gapMs / withinMs);
}
