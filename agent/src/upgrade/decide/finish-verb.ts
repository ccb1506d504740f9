/** The verb of the version before that brings a replacement to its end; `--help` does not list it. */
export const FINISH_VERB = 'finish-upgrade';
