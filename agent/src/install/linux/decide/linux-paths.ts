/** Where an agent is on Linux, as a service. */
export const ACCOUNT = 'ai-fabric-agent';
export const SERVICE = 'ai-fabric-agent.service';
/** Only root may make it there. */
export const INSTALL_LOCK = '/run/ai-fabric-agent-install.sock';

export const PROGRAM_FOLDER = '/opt/ai-fabric-agent';
/** A folder for each version that was installed, and is not gone yet. */
export const VERSIONS_FOLDER = `${PROGRAM_FOLDER}/versions`;
/** A link to the version that runs. */
export const CURRENT_LINK = `${PROGRAM_FOLDER}/current`;
export const PROGRAM_NAME = 'ai-fabric-agent';
export const CURRENT_PROGRAM = `${CURRENT_LINK}/${PROGRAM_NAME}`;
/** So that a person finds the program. */
export const COMMAND_LINK = '/usr/local/bin/ai-fabric-agent';

export const CONFIG_FOLDER = '/etc/ai-fabric-agent';
export const POLICY_FILE = `${CONFIG_FOLDER}/agent.yaml`;
export const KEY_FILE = `${CONFIG_FOLDER}/host-key.pem`;
export const RECORD_FILE = `${CONFIG_FOLDER}/installed.json`;

export const STATE_FOLDER = '/var/lib/ai-fabric-agent';
/** Of a Podman of the agent's own user, whose home the state folder is. */
export const ROOTLESS_STORAGE = `${STATE_FOLDER}/.local/share/containers`;
/** Where that Podman answers. @param uid the account's number */
export const ownPodmanSocket = (uid: number | string): string => `/run/user/${uid}/podman/podman.sock`;

export const UNIT_FOLDER = '/etc/systemd/system';
export const UNIT_FILE = `${UNIT_FOLDER}/${SERVICE}`;
export const HELPER_UNIT_FILE = `${UNIT_FOLDER}/ai-fabric-agent-helper@.service`;
export const POLKIT_FILE = '/etc/polkit-1/rules.d/60-ai-fabric-agent.rules';
/** Settings of our own service that not every machine has. */
export const ENGINE_DROP_IN_FOLDER = `${UNIT_FOLDER}/${SERVICE}.d`;
export const ENGINE_DROP_IN = `${ENGINE_DROP_IN_FOLDER}/50-container-engine.conf`;
export const PODMAN_SOCKET = 'podman.socket';
export const PODMAN_DROP_IN_FOLDER = `${UNIT_FOLDER}/podman.socket.d`;
export const PODMAN_DROP_IN = `${PODMAN_DROP_IN_FOLDER}/50-ai-fabric-agent.conf`;

/** The first line of each file that an install writes and rewrites: by it they are known. */
export const OUR_MARK = 'Made by "ai-fabric-agent install"';
