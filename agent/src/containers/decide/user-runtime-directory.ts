/**
 * Where what a user runs has its sockets: `/run/user/1000`. It is there while that user is signed in, or may linger.
 * `null`: the endpoint belongs to no user.
 */
export function userRuntimeDirectory(endpoint: string): string | null {
  return /^(?:\/var)?\/run\/user\/\d+(?=\/)/.exec(endpoint)?.[0] ?? null;
}
