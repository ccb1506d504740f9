/** What its owner allows: the file's defaults, named so that they are found. @param restart the command that starts the agent anew */
export function policyText(restart: string): string {
  return `# What the control plane may do with this host. This file is its owner's: no command changes it, and what it does not
# allow is refused. All settings, their defaults and the rules: docs/agent-policy.md. It is read when the agent starts:
#   ${restart}
version: 1
# images: [vllm/vllm-openai]       # repositories that containers are made from
# models: ["*"]                    # ["Qwen/*"] allows these alone
# power: [suspend, poweroff]       # of suspend, hibernate, poweroff, reboot; [] refuses all
# upgrades: confirm                # a newer agent: off, confirm (done by "ai-fabric-agent upgrade"), auto
`;
}
