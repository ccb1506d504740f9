export type { AgentDependencies } from './agent-dependencies.js';
export { JoinError, NotJoinedError } from './agent-errors.js';
export { BUNDLE_FOLDER, type BundleManifest, bundleManifestSchema } from './bundle/bundle-manifest.js';
export { type AgentConfig, ConfigError, type LogLevel } from './config/agent-config.js';
export { type AgentFlags, type Environment, readAgentConfig } from './config/read-agent-config.js';
export type {
  ContainerDetails,
  ContainerEngine,
  ContainerEngineInfo,
  ContainerEngineProbe,
  ContainerEvent,
  ContainerSpec,
  ContainerSummary,
  LogLine,
  PullProgress,
} from './containers/container-engine.js';
export { ContainerEngineError, type ContainerEngineErrorCode } from './containers/container-engine-error.js';
export { HelperContainers } from './containers/helper-containers.js';
export { type ContainerEngineOptions, openContainerEngine } from './containers/open-container-engine.js';
export type { AgentState } from './identity/agent-state.js';
export { type PrivateFiles, privateFiles, StateFileError } from './identity/private-files.js';
export { type JoinDependencies, type JoinRequest, joinFabric } from './join.js';
export { LinkError, type LinkFailure } from './link/link-failure.js';
export { weightsLook } from './models/weights-look.js';
export { engineStorage } from './replica/container/engine-storage.js';
export type { StorageView } from './replica/container/kept-tools.js';
export { type Containers, openContainers } from './replica/container/open-containers.js';
export type { ReplicaMemory } from './replica/container/replica-memory.js';
export type { ContainerParts, ReplicaRecipe } from './replica/container/replica-recipe.js';
export { openRecipe, type RecipeHost } from './replica/recipe/open-recipe.js';
export type { KeeperOptions, ReplicaKeeper } from './replica/replica-keeper.js';
export { ReplicaKeepers } from './replica/replica-keepers.js';
export type { Sensors } from './sensors/open-sensors.js';
export type { ClosableSensor, Sensor, SensorResult } from './sensors/sensor.js';
export { type Agent, startAgent } from './start-agent.js';
export type { AgentStatus } from './status/agent-status.js';
export { askStatus, askVerb, StateInUseError } from './status/status-socket.js';
export { InstalledUpgrades } from './upgrade/installed-upgrades.js';
export type { UpgradeParts } from './upgrade/open-upgrades.js';
export { releaseFetch } from './upgrade/release-fetch.js';
export { stageRelease } from './upgrade/stage-release.js';
export type { UpgradeRecord } from './upgrade/upgrade-record.js';
export { AGENT_VERSION } from './version.js';
