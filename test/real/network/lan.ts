import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type CableTerms, SlowCable } from './slow-cable.js';
import { namespacePrefix, sweepNamespaces } from './sweep-namespaces.js';

/** A machine on the LAN: a network namespace with loopback and one card, `eth0`. */
export interface LanHost {
  /** Name of its namespace: `ip netns exec` takes it. */
  readonly namespace: string;
}

/**
 * A LAN of network namespaces around a bridge that stands in a namespace of its own: nothing of it is in the machine's
 * own network, and nothing of it reaches out. Needs root.
 */
export class Lan {
  /** Other runs of this test have their own. */
  readonly #id = namespacePrefix(randomBytes(3).toString('hex'));
  readonly #hosts: LanHost[] = [];
  readonly #cables = new Map<LanHost, SlowCable>();
  readonly #hub: string;

  /** @throws Error with what `ip` said */
  constructor() {
    sweepNamespaces();
    this.#hub = `${this.#id}-hub`;
    ip('netns', 'add', this.#hub);
    ip('-n', this.#hub, 'link', 'add', 'lan', 'type', 'bridge');
    ip('-n', this.#hub, 'link', 'set', 'lan', 'up');
  }

  /** @param addresses with their prefixes: `10.77.0.1/24` */
  addHost(...addresses: string[]): LanHost {
    const number = this.#hosts.length;
    const host = { namespace: `${this.#id}-${number}` };
    ip('netns', 'add', host.namespace);
    this.#hosts.push(host);
    ip(
      ...['-n', this.#hub, 'link', 'add', portOf(number), 'type', 'veth'],
      ...['peer', 'name', 'eth0', 'netns', host.namespace],
    );
    ip('-n', this.#hub, 'link', 'set', portOf(number), 'master', 'lan', 'up');
    ip('-n', host.namespace, 'link', 'set', 'lo', 'up');
    ip('-n', host.namespace, 'link', 'set', 'eth0', 'up');
    for (const address of addresses) this.addAddress(host, address);
    return host;
  }

  addAddress(host: LanHost, address: string): void {
    ip('-n', host.namespace, 'address', 'add', address, 'dev', 'eth0');
  }

  /** To a network that the host has no address of its own in. */
  addRoute(host: LanHost, network: string): void {
    ip('-n', host.namespace, 'route', 'add', network, 'dev', 'eth0');
  }

  /**
   * A router into another network of the same switch. Like any other, it forwards no broadcast.
   *
   * @param here its address with prefix among the others
   * @param there in the other network, whose hosts go by it
   */
  addRouter(here: string, vlan: string, there: string): LanHost {
    const router = this.addHost(here);
    const number = this.#hosts.indexOf(router);
    this.#addVlan(vlan);
    ip(
      ...['-n', this.#hub, 'link', 'add', `${portOf(number)}b`, 'type', 'veth'],
      ...['peer', 'name', 'eth1', 'netns', router.namespace],
    );
    ip('-n', this.#hub, 'link', 'set', `${portOf(number)}b`, 'master', vlan, 'up');
    ip('-n', router.namespace, 'link', 'set', 'eth1', 'up');
    ip('-n', router.namespace, 'address', 'add', there, 'dev', 'eth1');
    run('ip', 'netns', 'exec', router.namespace, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    return router;
  }

  /** To a network behind a router. */
  addRouteBy(host: LanHost, network: string, router: string): void {
    ip('-n', host.namespace, 'route', 'add', network, 'via', router);
  }

  /** Pulls the plug at the switch: packets vanish, and no connection hears of it. */
  cut(host: LanHost): void {
    ip('-n', this.#hub, 'link', 'set', this.#port(host), 'down');
  }

  mend(host: LanHost): void {
    ip('-n', this.#hub, 'link', 'set', this.#port(host), 'up');
  }

  /** Of its card. */
  macOf(host: LanHost): string {
    const [card] = JSON.parse(ip('-n', host.namespace, '-json', 'link', 'show', 'eth0')) as [
      { readonly address: string },
    ];
    return card.address;
  }

  /**
   * Of the datagrams for the host so many get lost from now on: 0 to 1. (Not `tc netem`: not every kernel has it.)
   */
  loseDatagrams(host: LanHost, ratio: number): void {
    iptables(host, '-F', 'INPUT');
    if (ratio === 0) return;
    const some = ['-m', 'statistic', '--mode', 'random', '--probability', String(ratio)];
    iptables(host, '-A', 'INPUT', '-p', 'udp', ...(ratio < 1 ? some : []), '-j', 'DROP');
  }

  /**
   * Puts a cable between the host and the switch that takes its time, until the LAN is closed.
   *
   * @throws Error where Python cannot be started there
   */
  async laySlowCable(host: LanHost, terms: CableTerms): Promise<SlowCable> {
    const number = this.#hosts.indexOf(host);
    const [near, far] = [`slow${number}`, cableOf(number)] as const;
    ip('-n', this.#hub, 'link', 'set', portOf(number), 'nomaster');
    ip('-n', this.#hub, 'link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    ip('-n', this.#hub, 'link', 'set', near, 'up');
    ip('-n', this.#hub, 'link', 'set', far, 'master', 'lan', 'up');
    const cable = await SlowCable.lay(this.#hub, [portOf(number), near], terms);
    this.#cables.set(host, cable);
    return cable;
  }

  /** A machine without power: nobody is told that its connections are over, and nobody who tries is refused. */
  silence(host: LanHost): void {
    for (const chain of ['PREROUTING', 'OUTPUT']) {
      iptables(host, '-t', 'raw', '-A', chain, '-p', 'tcp', '-j', 'DROP');
    }
  }

  /** It has power again. */
  unsilence(host: LanHost): void {
    iptables(host, '-t', 'raw', '-F');
  }

  /** Puts the host's port into another network of the same switch: broadcasts of the others do not reach it. */
  moveToVlan(host: LanHost, vlan: string): void {
    this.#addVlan(vlan);
    ip('-n', this.#hub, 'link', 'set', this.#port(host), 'master', vlan);
  }

  /** Programs that run in the namespaces are to be ended first: they would keep them alive. */
  close(): void {
    for (const cable of this.#cables.values()) cable.cut();
    for (const { namespace } of [...this.#hosts, { namespace: this.#hub }]) {
      spawnSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' });
    }
  }

  #addVlan(vlan: string): void {
    const isThere =
      spawnSync('ip', ['-n', this.#hub, 'link', 'show', vlan], { stdio: 'ignore' }).status === 0;
    if (isThere) return;
    ip('-n', this.#hub, 'link', 'add', vlan, 'type', 'bridge');
    ip('-n', this.#hub, 'link', 'set', vlan, 'up');
  }

  /** Of the switch. */
  #port(host: LanHost): string {
    const number = this.#hosts.indexOf(host);
    return this.#cables.has(host) ? cableOf(number) : portOf(number);
  }
}

function portOf(number: number): string {
  return `port${number}`;
}

function cableOf(number: number): string {
  return `cable${number}`;
}

function iptables(host: LanHost, ...args: string[]): void {
  run('ip', 'netns', 'exec', host.namespace, 'iptables', '-w', ...args);
}

/** @returns what it printed */
function ip(...args: string[]): string {
  return run('ip', ...args);
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}
