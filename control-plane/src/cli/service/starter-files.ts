/** What `/etc/ai-fabric/fabric.yaml` says before anybody has said anything: valid, and empty. */
export const STARTER_FABRIC = `# What exists: hosts, deployments, providers, roles and aliases. See docs/declared-state.md.
#
# It seeds an empty registry; afterwards the registry counts. After a change of this file:
#   sudo ai-fabric diff /etc/ai-fabric/fabric.yaml       what it would change
#   sudo ai-fabric apply /etc/ai-fabric/fabric.yaml      all of it, or nothing
#
# A host joins with the line that "sudo ai-fabric token create" prints. Then, for a model on it:
#   sudo ai-fabric deployments create chat --host HOST --preset chat-fast --wait
version: 1
`;

/** What `/etc/ai-fabric/control-plane.env` says: every setting with its default, none of them set. */
export const STARTER_VARIABLES = `# Settings of ai-fabric.service, read when it starts: sudo systemctl restart ai-fabric
# All of them: docs/CONFIGURATION.md. An upgrade changes nothing here; the installer changes a line only where a flag of
# it says so (--host, --port, --tls-port, --replace-litellm).

# Addresses to listen on, apart by commas; all by default. One that is not there yet (a tailnet's, before its daemon is
# up) is waited for. 127.0.0.1 belongs to them: the commands on this machine use it.
#AI_FABRIC_HOST=127.0.0.1,100.101.102.103
#AI_FABRIC_PORT=8000
#AI_FABRIC_TLS_PORT=8443
#AI_FABRIC_LOG_LEVEL=info

# Keys that fabric.yaml names as { env: NAME }. Safer is { credential: NAME } with LoadCredential= (docs/install.md).
#OPENAI_API_KEY=
`;
