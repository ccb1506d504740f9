/** This host has not joined a control plane. */
export class NotJoinedError extends Error {
  override readonly name = 'NotJoinedError';
}

/** Why a join was not even tried. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly code: 'bad_server' | 'bad_token' | 'already_joined' | 'agent_running' | 'installed_service';

  constructor(code: JoinError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
