/** `EXECUTION_STATE` of winbase.h: goes on until it is changed; the system must not sleep. */
const CONTINUOUS = 0x80000000;
const SYSTEM_REQUIRED = 0x1;

/**
 * What the helper runs. It reads a verb per line and answers `ok VERB` or `failed VERB ERROR`, after `ready`; it ends
 * with its input. An execution state is of a thread, so the one that reads is the one that holds. Suspending goes by
 * `SetSuspendState(FALSE, FALSE, FALSE)`: the well-known `rundll32 powrprof.dll,SetSuspendState` passes garbage and
 * often hibernates.
 */
export const WINDOWS_HELPER_SCRIPT = `
$ErrorActionPreference = 'Stop'
Add-Type -Namespace AiFabric -Name Power -MemberDefinition @'
[DllImport("kernel32.dll", SetLastError = true)]
public static extern uint SetThreadExecutionState(uint flags);
[DllImport("powrprof.dll", SetLastError = true)]
[return: MarshalAs(UnmanagedType.U1)]
public static extern bool SetSuspendState(
  [MarshalAs(UnmanagedType.U1)] bool hibernate,
  [MarshalAs(UnmanagedType.U1)] bool force,
  [MarshalAs(UnmanagedType.U1)] bool noWakeEvents);
'@
[Console]::Out.WriteLine('ready')
while ($null -ne ($verb = [Console]::In.ReadLine())) {
  $ok = switch ($verb) {
    'hold' { [AiFabric.Power]::SetThreadExecutionState([uint32]${CONTINUOUS + SYSTEM_REQUIRED}) -ne 0 }
    'release' { [AiFabric.Power]::SetThreadExecutionState([uint32]${CONTINUOUS}) -ne 0 }
    'suspend' { [AiFabric.Power]::SetSuspendState($false, $false, $false) }
    'hibernate' { [AiFabric.Power]::SetSuspendState($true, $false, $false) }
    default { $false }
  }
  if ($ok) { [Console]::Out.WriteLine('ok ' + $verb) }
  else {
    $code = [Runtime.InteropServices.Marshal]::GetLastWin32Error()
    [Console]::Out.WriteLine('failed ' + $verb + ' ' + $code)
  }
}
`;
