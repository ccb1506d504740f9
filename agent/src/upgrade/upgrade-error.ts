/** Why a release does not take the place of what runs. */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError';
  readonly code: UpgradeErrorCode;

  constructor(code: UpgradeErrorCode, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

export type UpgradeErrorCode =
  /** It could not be fetched; trying again may help. */
  | 'unreachable'
  /** The control plane has another release by now. */
  | 'release_changed'
  | 'release_refused'
  /** Bytes that are not those of the manifest. */
  | 'damaged'
  | 'older_version'
  | 'same_version'
  | 'wrong_platform'
  | 'no_space'
  | 'not_installed'
  | 'nothing_staged'
  | 'policy_refused'
  | 'upgrade_under_way'
  /** Root did not take it. */
  | 'helper_failed';
