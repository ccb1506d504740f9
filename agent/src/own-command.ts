/** What prints the line by which a host is joined, upgraded and repaired. */
export const JOIN_LINE = 'the line that "ai-fabric token create" prints on the control plane';

/** An option stands behind the pin: behind its end, a bracket, neither of the two lines takes one. */
export function joinLineWith(option: string): string {
  return `${JOIN_LINE}, with ${option} put behind its --pin '…' (in PowerShell -Pin '…')`;
}

/**
 * Has a host join anew, which keeps its key. A join by hand is not the way of a service: its key is handed to it by the
 * system, and what root writes into its state is not its own.
 */
export function rejoinAdvice(isService: boolean, platform: NodeJS.Platform): string {
  return isService
    ? `Run ${joinLineWith('--rejoin')}.`
    : `Stop this agent, and run here with a new join token: ${ownProgram(platform)} join --force`;
}

/** As an install leaves it to a person: on Windows on no PATH. */
export function ownProgram(platform: NodeJS.Platform): string {
  return platform === 'win32'
    ? '& "$env:ProgramFiles\\AI Fabric Agent\\ai-fabric-agent.cmd"'
    : 'ai-fabric-agent';
}

/** What a person types to have it done by the agent's program, with the rights that it takes. */
export function ownCommand(args: string, platform: NodeJS.Platform): string {
  const command = `${ownProgram(platform)} ${args}`;
  return platform === 'win32' ? `${command} (in a PowerShell of an administrator)` : `sudo ${command}`;
}

/** Starts the service that an install made. */
export function startCommand(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'Start-Service ai-fabric-agent' : 'sudo systemctl start ai-fabric-agent';
}
