/** Loopback, container and hypervisor networks, tunnels: none of them is a socket or an antenna of the machine. */
const VIRTUAL_NAMES =
  /^(?:lo\d*|docker|br-|veth|virbr|vnet|tap|tun|utun|wg|zt|tailscale|nebula|podman|cni|flannel|cali|cilium|kube|lxc|lxd|incus|vboxnet|vmnet|ifb|dummy|sit|ip6tnl|gre|isatap|teredo|loopback|vethernet|nordlynx|proton|mullvad)|tailscale|zerotier|wireguard|openvpn|hyper-v|virtualbox|vmware|npcap|bluetooth/i;

/** Prefixes that virtual adapters are given: Hyper-V, VMware, VirtualBox, Docker, Parallels. */
const VIRTUAL_MACS = [
  '00:15:5d',
  '00:05:69',
  '00:0c:29',
  '00:1c:14',
  '00:50:56',
  '08:00:27',
  '0a:00:27',
  '02:42',
  '00:1c:42',
];

const NO_MAC = '00:00:00:00:00:00';

/** Does this name belong to an interface that no cable or antenna is behind? */
export function hasVirtualName(name: string): boolean {
  return VIRTUAL_NAMES.test(name);
}

/** @param mac lower case, with colons */
export function hasVirtualMac(mac: string): boolean {
  return mac === NO_MAC || VIRTUAL_MACS.some((prefix) => mac.startsWith(prefix));
}
