import { helperVerbSchema } from '../../../root-helper/helper-verbs.js';
import {
  ACCOUNT,
  CURRENT_PROGRAM,
  KEY_FILE,
  OUR_MARK,
  ownPodmanSocket,
  POLICY_FILE,
  STATE_FOLDER,
} from './linux-paths.js';

/**
 * The service. `MemoryDenyWriteExecute` ends V8, `PrivateDevices` hides the cards, `ProcSubset=pid` the memory and the
 * processors, `ProtectProc` who holds a port: they stay off.
 */
export function agentUnit(): string {
  return `# ${OUR_MARK}: the next one writes it anew. Settings of your own: systemctl edit ai-fabric-agent
[Unit]
Description=AI Fabric agent
Wants=network-online.target
After=network-online.target dbus.service nvidia-persistenced.service podman.socket docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
User=${ACCOUNT}
Group=${ACCOUNT}
ExecStart=${CURRENT_PROGRAM} run
Environment=AI_FABRIC_AGENT_STATE=${STATE_FOLDER} AI_FABRIC_AGENT_POLICY=${POLICY_FILE} AI_FABRIC_AGENT_HELPER=systemd
LoadCredential=host-key.pem:${KEY_FILE}
StateDirectory=${ACCOUNT}
StateDirectoryMode=0700
Restart=always
RestartSec=5
TimeoutStopSec=15
KillMode=mixed
SyslogIdentifier=${ACCOUNT}

UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RemoveIPC=yes
KeyringMode=private
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey
SystemCallErrorNumber=EPERM
DevicePolicy=closed
DeviceAllow=char-nvidia* rw
DeviceAllow=/dev/dxg rw

[Install]
WantedBy=multi-user.target
`;
}

/** What only root may, one verb at a time: polkit lets the agent start these, and nobody can give them an argument. */
export function helperUnitText(): string {
  return `# ${OUR_MARK}: the next one writes it anew.
[Unit]
Description=AI Fabric agent: %i, which only root may

[Service]
Type=oneshot
ExecStart=${CURRENT_PROGRAM} helper %i
RuntimeDirectory=${ACCOUNT}
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
TimeoutStartSec=300
SyslogIdentifier=${ACCOUNT}-helper

UMask=0022
NoNewPrivileges=yes
ProtectHome=yes
PrivateTmp=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
`;
}

/** polkit's: the agent's user may start the helper, and hold the machine awake. Nothing else. */
export function polkitRule(): string {
  const verbs = helperVerbSchema.options.join('|');
  return `// ${OUR_MARK}: the next one writes it anew.
polkit.addRule(function (action, subject) {
  if (subject.user !== '${ACCOUNT}') return polkit.Result.NOT_HANDLED;
  if (/^org\\.freedesktop\\.login1\\.inhibit-(block-sleep|block-idle|delay-sleep)$/.test(action.id)) return polkit.Result.YES;
  if (action.id === 'org.freedesktop.systemd1.manage-units' && action.lookup('verb') === 'start' &&
      /^ai-fabric-agent-helper@(${verbs})\\.service$/.test(action.lookup('unit'))) return polkit.Result.YES;
  return polkit.Result.NOT_HANDLED;
});
`;
}

/** Rootful Podman's socket, and the folder that it lies in, for the agent's group. */
export function podmanDropIn(): string {
  return `# ${OUR_MARK}: the next one writes it anew.
# Whoever may use this socket is as good as root on this machine.
[Socket]
SocketGroup=${ACCOUNT}
SocketMode=0660
ExecStartPost=/bin/chgrp ${ACCOUNT} /run/podman
ExecStartPost=/bin/chmod 0750 /run/podman
`;
}

/**
 * The agent's own Podman: its socket lies where other services may not look. A folder that was bound would be the former
 * one once that user's services start anew; what is mounted there later comes to be seen only if nothing lies above it.
 *
 * @param uid the account's number
 */
export function rootlessDropIn(uid: number): string {
  return `# ${OUR_MARK}: the next one writes it anew.
[Unit]
Wants=user@${uid}.service
After=user@${uid}.service

[Service]
Environment=XDG_RUNTIME_DIR=/run/user/${uid} AI_FABRIC_AGENT_CONTAINER_ENGINE=unix://${ownPodmanSocket(uid)}
ProtectHome=no
InaccessiblePaths=-/home -/root
`;
}
