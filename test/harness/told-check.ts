/** A line of a host's checklist, as `install --json` and `doctor --json` tell it. */
export interface ToldCheck {
  readonly id: string;
  readonly state: string;
  readonly says: string;
  readonly fix: string | null;
}
