const LOOPBACK = '127.0.0.1';
const IPV6_LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;

/**
 * The address of the host that an engine's port is open on. In tunnel reach that is loopback. In direct reach it is what
 * the owner of the host names, else the address that the link leaves from, by which the control plane knows this host:
 * beside the paths that its key guards an engine has some that it does not, so no more is opened than is needed.
 *
 * @param linkAddress `null`: there never was a link
 */
export function chooseOpenAddress(
  reach: 'tunnel' | 'direct',
  ownersChoice: string | null,
  linkAddress: string | null,
): string {
  if (reach === 'tunnel') return LOOPBACK;
  if (ownersChoice !== null) return ownersChoice;
  // No container engine publishes on an address that means something on one interface alone.
  return linkAddress === null || IPV6_LINK_LOCAL.test(linkAddress) ? LOOPBACK : linkAddress;
}
