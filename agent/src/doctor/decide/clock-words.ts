/** From there on the control plane, too, has an issue of it: `clock_skew`. */
const WORTH_SAYING_MS = 60_000;
const UNITS = [
  { name: 'days', ms: 86_400_000 },
  { name: 'hours', ms: 3_600_000 },
  { name: 'minutes', ms: 60_000 },
] as const;

/** @param aheadMs this machine's clock less the control plane's; `null`: not known @returns empty where they agree */
export function clockWords(aheadMs: number | null): string {
  if (aheadMs === null) return '';
  const apartMs = Math.abs(aheadMs);
  if (apartMs <= WORTH_SAYING_MS) return '';
  // Two of a unit at least: "60 minutes", not "1 hours".
  const unit = UNITS.find(({ ms }) => apartMs >= 2 * ms) ?? { name: 'seconds', ms: 1_000 };
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  return `this machine’s clock is ${Math.round(apartMs / unit.ms)} ${unit.name} ${way} the control plane’s`;
}
