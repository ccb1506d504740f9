import { Counter, type CounterConfiguration, Gauge, type Registry } from 'prom-client';

export interface LiveMetric<Label extends string> {
  /** With its unit; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

export interface LiveValue<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  /** Without a value there is no line: missing is never 0. */
  readonly value: number | null | undefined;
}

/** A gauge whose lines are what `read` gives at each scrape, and no others: what is gone has no line. */
export function addLiveGauge<Label extends string>(
  registry: Registry,
  metric: LiveMetric<Label>,
  read: () => Iterable<LiveValue<Label>>,
): void {
  new LiveGauge({
    ...configuration(registry, metric),
    collect() {
      for (const { labels, value } of read()) if (value != null) this.set({ ...labels }, value);
    },
  });
}

/** The same for totals that are counted elsewhere. */
export function addLiveCounter<Label extends string>(
  registry: Registry,
  metric: LiveMetric<Label>,
  read: () => Iterable<LiveValue<Label>>,
): void {
  new LiveCounter({
    ...configuration(registry, metric),
    collect() {
      for (const { labels, value } of read()) if (value != null) this.inc({ ...labels }, value);
    },
  });
}

/** Keeps nothing between scrapes: the lines of a thousand hosts are megabytes. */
class LiveGauge extends Gauge<string> {
  override async get() {
    const read = await super.get();
    this.reset();
    return read;
  }
}

class LiveCounter extends Counter<string> {
  override async get() {
    const read = await super.get();
    this.reset();
    return read;
  }
}

function configuration(
  registry: Registry,
  { name, help, labelNames }: LiveMetric<string>,
): CounterConfiguration<string> {
  return { name, help, labelNames: [...labelNames], registers: [registry] };
}
