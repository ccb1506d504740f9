/** A configuration as people have it: an engine on another machine, one of a cloud, an alias. */
export const LITELLM_CONFIG = `model_list:
  - model_name: chat-fast
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-7B-Instruct-AWQ
      api_base: http://armitage:8000/v1
      api_key: none
  - model_name: openai/strong
    litellm_params:
      model: openai/gpt-4.1
      api_key: os.environ/OPENAI_API_KEY
router_settings:
  model_group_alias: { gpt-4: chat-fast }
litellm_settings:
  cache: true
`;

/** @param node an interpreter of the machine's */
export function litellmUnit(node: string, port: number): string {
  return `[Unit]
Description=LiteLLM proxy
[Service]
Environment=OPENAI_API_KEY=sk-of-the-proxy
WorkingDirectory=/opt/litellm
ExecStart=${node} /opt/litellm/bin/litellm --config config.yaml --port ${port}
Restart=always
[Install]
WantedBy=multi-user.target
`;
}
