export type CertificateName =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: string };

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const LINK_LOCAL = /^(?:fe[89ab]|169\.254\.)/i;
const MAX_ADDRESSES = 64;

/**
 * What a control plane may be called: itself, its host name and its `.local` one, and its addresses. Link-local
 * addresses mean nothing without their interface and are left out.
 */
export function listCertificateNames(hostName: string, addresses: readonly string[]): CertificateName[] {
  const host = hostName.toLowerCase();
  const short = host.split('.')[0] ?? host;
  const names = ['localhost', host, short, `${short}.local`].filter((name) => DNS_NAME.test(name));
  const usable = addresses.filter((address) => !LINK_LOCAL.test(address) && !address.includes('%'));
  return [
    ...[...new Set(names)].map((value): CertificateName => ({ kind: 'dns', value })),
    ...[...new Set(['127.0.0.1', '::1', ...usable])]
      .slice(0, MAX_ADDRESSES)
      .map((value): CertificateName => ({ kind: 'ip', value })),
  ];
}
