declare module 'node-nvidia-smi' {
  /**
   * Runs "nvidia-smi -q -x" through a shell, by its bare name, without a timeout. The error is what `exec` gives, or
   * the text on standard error; the data is xml2js's object of the log.
   */
  function nvidiaSmi(callback: (error: unknown, data?: unknown) => void): void;
  export = nvidiaSmi;
}
