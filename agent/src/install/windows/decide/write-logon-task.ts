/**
 * A task that starts a program when one user signs in, as `schtasks /Create /XML` takes it. What `schtasks` makes of
 * its own options ends after three days, does not run on battery, and has the priority of what works in the background,
 * for processors, disks and memory alike, as has all that the program starts. 4 is what a person's own programs have, and
 * the only one with the usual priority for memory:
 * https://learn.microsoft.com/windows/win32/api/taskschd/nf-taskschd-itasksettings-put_priority
 *
 * @param account its SID, or its name as Windows writes it: `MOTOKO\Ada`
 */
export function writeLogonTask(account: string, program: string): string {
  const who = escapeXml(account);
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Starts Docker Desktop at sign-in, for the AI Fabric agent. Made by "ai-fabric-agent install".</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger><Enabled>true</Enabled><UserId>${who}</UserId></LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${who}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Enabled>true</Enabled>
    <Priority>4</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>${escapeXml(program)}</Command></Exec>
  </Actions>
</Task>
`;
}

function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": 'apos',
  };
  return text.replace(/[&<>"']/g, (letter) => `&${names[letter]};`);
}

/** As `schtasks` reads a file: UTF-16, with its mark. */
export function encodeTask(xml: string): Buffer {
  return Buffer.from(`\uFEFF${xml.replaceAll('\n', '\r\n')}`, 'utf16le');
}
