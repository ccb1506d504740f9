import type { Clock, HostPolicy, OwnYield, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { ContainerEngine } from './containers/container-engine.js';
import type { OpenLinkSocket } from './link/link-socket.js';
import type { ReplicaMemory } from './replica/container/replica-memory.js';
import type { ReplicaRecipe } from './replica/container/replica-recipe.js';
import type { RecipeHost } from './replica/recipe/open-recipe.js';
import type { KeeperOptions, ReplicaKeeper } from './replica/replica-keeper.js';
import type { SensorDependencies, Sensors } from './sensors/open-sensors.js';
import type { AgentStatus } from './status/agent-status.js';
import type { AgentEndpoints } from './tunnel/agent-endpoints.js';
import type { DialTunnel } from './tunnel/dial-tunnel.js';
import type { UpgradeParts } from './upgrade/open-upgrades.js';
import type { UpgradeDesk } from './upgrade/upgrades.js';

/** What an agent is started with; what is left out it makes itself. */
export interface AgentDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** This machine's own by default. */
  readonly sensors?: Sensors;
  /** Elapsed milliseconds with the time that the machine slept, where the system can tell; by default without. */
  readonly elapsedMs?: () => number;
  /** How the child that reads the cards' inventory is started; by default Node with the built file. */
  readonly inventoryChild?: SensorDependencies['inventoryChild'];
  readonly openSocket?: OpenLinkSocket;
  readonly dialTunnel?: DialTunnel;
  /** Who keeps a replica, by default a keeper for its kind of engine. */
  readonly openKeeper?: (options: KeeperOptions) => ReplicaKeeper;
  /** What the agent itself answers in the tunnel, beside what is its own. */
  readonly endpoints?: AgentEndpoints;
  /** This machine's own by default. */
  readonly containerEngine?: ContainerEngine;
  /** How declarations become containers. */
  readonly openRecipe?: (memory: ReplicaMemory, host: Omit<RecipeHost, 'variables'>) => ReplicaRecipe;
  /** What this host's owner allows: told, so that what will be refused is known beforehand. By default nothing is told. */
  readonly policy?: HostPolicy;
  /** What becomes of a newer agent that is offered; by default such offers are refused. */
  readonly openUpgrades?: (parts: UpgradeParts) => Promise<UpgradeDesk>;
  /** How its owner has it yield, whatever is declared. By default as declared. */
  readonly ownYield?: OwnYield;
  /** Called each time that a link is up. */
  readonly onLinked?: (status: AgentStatus) => void;
}
