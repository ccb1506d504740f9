/** What a series is of: the host itself, one of its cards, one of its replicas. */
export const seriesKinds = ['host', 'gpu', 'replica'] as const;
export type SeriesKind = (typeof seriesKinds)[number];

/**
 * The fields of each kind of series, in the order in which a stored bucket keeps them. That order is the format of the
 * registry file: a new field is added at the end, and none is ever moved, taken away or given another meaning.
 */
export const telemetryFields = {
  host: [
    'cpuRatio',
    'memoryUsedBytes',
    'memoryTotalBytes',
    'diskUsedBytes',
    'diskTotalBytes',
    'networkReceivedBytesPerSecond',
    'networkSentBytesPerSecond',
  ],
  gpu: [
    'utilisationRatio',
    'memoryUtilisationRatio',
    'vramUsedBytes',
    'vramTotalBytes',
    'temperatureCelsius',
    'memoryTemperatureCelsius',
    'powerWatts',
    'powerLimitWatts',
    'smClockMhz',
    'memoryClockMhz',
    'fanRatio',
  ],
  replica: [
    'running',
    'waiting',
    'kvUsageRatio',
    'promptTokensPerSecond',
    'cachedPromptTokensPerSecond',
    'generationTokensPerSecond',
    'preemptionsPerSecond',
    'timeToFirstTokenSeconds',
    'interTokenSeconds',
    'timeToFirstTokenP50Seconds',
    'timeToFirstTokenP95Seconds',
    'interTokenP50Seconds',
    'interTokenP95Seconds',
  ],
} as const satisfies Record<SeriesKind, readonly string[]>;
