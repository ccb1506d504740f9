const LOCAL_SUFFIXES = ['.local', '.lan', '.home', '.home.arpa', '.internal', '.localdomain', '.ts.net'];
const OWN_MACHINE = /^(localhost|host\.docker\.internal|0\.0\.0\.0|127(\.\d+){3}|\[::1?\])$/;
const IPV4 = /^(\d+)\.(\d+)\.\d+\.\d+$/;

/** The name that a host gets whose engine LiteLLM reached on its own machine. */
export const OWN_HOST = 'this-host';

export interface PlacedAddress {
  /** Without `/v1` and without a slash at the end. */
  readonly root: string;
  /** A machine of one's own, by the name of a host; `null`: somewhere in the internet. */
  readonly host: string | null;
}

/** Whose machine an `api_base` is on. `null` for what is no address. */
export function placeAddress(text: string): PlacedAddress | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  const name = url.hostname.toLowerCase();
  const own = OWN_MACHINE.test(name);
  // Inside a container, and as "every address", these mean the machine itself: there its agent reaches the engine.
  if (own && !/^\[/.test(name)) url.hostname = '127.0.0.1';
  const root = url.href.replace(/\/+$/, '').replace(/\/v1$/, '');
  return { root, host: own ? OWN_HOST : hostOf(name) };
}

function hostOf(name: string): string | null {
  const ipv4 = IPV4.exec(name);
  if (ipv4) return isPrivate(Number(ipv4[1]), Number(ipv4[2])) ? `host-${name.replaceAll('.', '-')}` : null;
  if (name.startsWith('[')) {
    return /^\[(f[cd]|fe80)/.test(name)
      ? `host-${name.replace(/[^0-9a-f]+/g, '-').replace(/^-|-$/g, '')}`
      : null;
  }
  const [label = name] = name.split('.');
  return name === label || LOCAL_SUFFIXES.some((suffix) => name.endsWith(suffix)) ? label : null;
}

/** RFC 1918, and 100.64/10, which tailnets use. */
function isPrivate(first: number, second: number): boolean {
  if (first === 10) return true;
  if (first === 172) return second >= 16 && second <= 31;
  if (first === 192) return second === 168;
  return first === 100 && second >= 64 && second <= 127;
}
