/** Where a control plane takes its agents' links. */
export interface ServerAddress {
  /** As shown and stored: `https://motoko:8443`. */
  readonly url: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export type ServerUrl =
  | { readonly ok: true; readonly address: ServerAddress }
  | { readonly ok: false; readonly detail: string };

const DEFAULT_PORT = 8443;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const PORT = /:(\d+)\/?$/;

/**
 * Reads `--server`. A missing scheme is https, a missing port 8443 (not the web's 443: a control plane listens there
 * only if told to). Agents speak TLS alone, so `http://` is refused, and so is anything behind the port.
 */
export function parseServerUrl(text: string): ServerUrl {
  const given = text.trim();
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'https') {
    return refuse(given, `an agent speaks TLS only: use https:// and the control plane's TLS port`);
  }
  const full = scheme === undefined ? `https://${given}` : given;
  if (!URL.canParse(full)) return refuse(given, 'that is not an address');
  const url = new URL(full);
  if (url.username !== '' || url.password !== '')
    return refuse(given, 'it must not carry a user or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refuse(given, 'nothing may stand behind the port');
  }
  // URL drops ":443" as https' own default, so the port is read from the text.
  const port = Number(PORT.exec(full)?.[1] ?? DEFAULT_PORT);
  if (port < 1) return refuse(given, 'port 0 cannot be dialled');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { ok: true, address: { url: `https://${url.hostname}:${port}`, host, port } };
}

function refuse(given: string, why: string): ServerUrl {
  const shown = given.includes('@') ? 'the server address' : JSON.stringify(given.slice(0, 200));
  return { ok: false, detail: `${shown}: ${why}. Expected is, for example, https://motoko:8443.` };
}
