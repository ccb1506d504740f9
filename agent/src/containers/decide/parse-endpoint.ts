export type ParsedEndpoint =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads what people know as `DOCKER_HOST`: `unix:///run/docker.sock`, `npipe:////./pipe/docker_engine`, or the bare
 * path of a socket or pipe.
 */
export function parseEndpoint(text: string): ParsedEndpoint {
  const given = text.trim();
  if (/^unix:\/\/\//.test(given)) return path(given.slice('unix://'.length));
  if (/^npipe:\/\/\/\/\.\/pipe\/[^/]+$/i.test(given))
    return path(`\\\\.\\pipe\\${given.slice('npipe:////./pipe/'.length)}`);
  if (/^\/[^/]/.test(given) || /^\\\\\.\\pipe\\[^\\]+$/i.test(given)) return path(given);
  if (/^(tcp|https?|ssh):/i.test(given)) {
    return refuse(given, 'an engine that is reached over the network is not this host’s own');
  }
  return refuse(given, 'it is neither');
}

function path(found: string): ParsedEndpoint {
  // A Unix socket's path has an end that the system cuts without a word.
  return found.length > 107 && found.startsWith('/')
    ? refuse(found, 'it is longer than 107 characters')
    : { ok: true, path: found };
}

function refuse(given: string, why: string): ParsedEndpoint {
  const shown = JSON.stringify(given.slice(0, 120));
  return {
    ok: false,
    detail: `${shown} must be the path of a socket (unix:///run/docker.sock) or of a pipe (npipe:////./pipe/docker_engine): ${why}.`,
  };
}
