import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  type Registry,
} from 'prom-client';

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
  new LiveGauge(configuration(registry, metric), read);
}

/** The same for totals that are counted elsewhere. `read` gives each combination of labels once. */
export function addLiveCounter<Label extends string>(
  registry: Registry,
  metric: LiveMetric<Label>,
  read: () => Iterable<LiveValue<Label>>,
): void {
  new LiveCounter(configuration(registry, metric), read);
}

/**
 * Keeps nothing, at a scrape or between two: prom-client's own way, a key made of the labels of each line and a copy
 * of them, takes twice the time and memory, and the lines of a thousand hosts are megabytes.
 */
class LiveGauge extends Gauge<string> {
  readonly #read: () => Iterable<LiveValue<string>>;

  constructor(config: GaugeConfiguration<string>, read: () => Iterable<LiveValue<string>>) {
    super(config);
    this.#read = read;
  }

  override async get() {
    return { ...(await super.get()), values: known(this.#read()) };
  }
}

class LiveCounter extends Counter<string> {
  readonly #read: () => Iterable<LiveValue<string>>;

  constructor(config: CounterConfiguration<string>, read: () => Iterable<LiveValue<string>>) {
    super(config);
    this.#read = read;
  }

  override async get() {
    return { ...(await super.get()), values: known(this.#read()) };
  }
}

function known(values: Iterable<LiveValue<string>>): { labels: Record<string, string>; value: number }[] {
  const lines: { labels: Record<string, string>; value: number }[] = [];
  for (const { labels, value } of values) if (value != null) lines.push({ labels, value });
  return lines;
}

function configuration(
  registry: Registry,
  { name, help, labelNames }: LiveMetric<string>,
): CounterConfiguration<string> & GaugeConfiguration<string> {
  return { name, help, labelNames: [...labelNames], registers: [registry] };
}
