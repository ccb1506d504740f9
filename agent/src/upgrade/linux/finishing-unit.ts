import { OUR_MARK, PROGRAM_NAME, SERVICE } from '../../install/linux/decide/linux-paths.js';
import { FINISH_VERB } from '../decide/finish-verb.js';

/**
 * Finishes an upgrade by the version that was there before, which is known to run. A crash of it is no end.
 *
 * @param folder of that version
 */
export function finishingUnit(folder: string): string {
  return `# ${OUR_MARK}: it is gone when the upgrade is over.
[Unit]
Description=AI Fabric agent: an upgrade is brought to its end
After=network-online.target ${SERVICE}
StartLimitIntervalSec=900
StartLimitBurst=20

[Service]
Type=exec
ExecStart=${folder}/${PROGRAM_NAME} ${FINISH_VERB}
Restart=on-failure
RestartSec=3
SyslogIdentifier=ai-fabric-agent-helper

UMask=0022
NoNewPrivileges=yes
ProtectHome=yes
PrivateTmp=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX
SystemCallArchitectures=native
`;
}
