/** A configuration as people have it: an estate of three machines, two clouds, and settings of every kind. */
export const LITELLM_CONFIG = `# LiteLLM proxy on motoko
model_list:
  - model_name: chat-fast
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-7B-Instruct-AWQ
      api_base: http://armitage:8000/v1
      api_key: none
      max_parallel_requests: 8
      timeout: 300
      rpm: 600
  - model_name: chat-fast
    litellm_params:
      model: openai/hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4
      api_base: http://wintermute.tail1234.ts.net:8000/v1
      api_key: "not-needed"
      timeout: 600
  - model_name: qwen2.5-7b-armitage
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-7B-Instruct-AWQ
      api_base: http://armitage:8000/v1
  - model_name: local/embed
    litellm_params:
      model: openai/BAAI/bge-base-en-v1.5
      api_base: http://host.docker.internal:8001/v1
      api_key: os.environ/EMBED_KEY
    model_info:
      mode: embedding
      max_input_tokens: 512
  - model_name: openai/strong
    litellm_params:
      model: openai/gpt-4.1
      api_key: os.environ/OPENAI_API_KEY
      organization: org-123
    model_info:
      input_cost_per_token: 0.000002
  - model_name: openai/cheap
    litellm_params: &cloud
      model: gpt-4.1-mini
      api_key: os.environ/OPENAI_API_KEY
  - model_name: claude
    litellm_params:
      <<: *cloud
      model: anthropic/claude-sonnet-4-5
      api_key: sk-ant-api03-Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA
  - model_name: azure-gpt
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://my-endpoint.openai.azure.com/
      api_version: "2024-02-01"
      api_key: os.environ/AZURE_API_KEY
  - model_name: nova
    litellm_params:
      model: bedrock/amazon.nova-lite-v1:0
      aws_region_name: us-east-1
  - model_name: whisper
    litellm_params:
      model: openai/whisper-1
      api_key: os.environ/OPENAI_API_KEY
    model_info:
      mode: audio_transcription
  - model_name: small
    litellm_params:
      model: ollama_chat/llama3.2:3b
      api_base: http://192.168.1.20:11434
  - model_name: "*"
    litellm_params:
      model: openai/*

router_settings:
  routing_strategy: least-busy
  num_retries: 2
  model_group_alias:
    local/chat: chat-fast
    local/strong: openai/strong
    gpt-4: { model: local/strong, hidden: true }
    round: about
    about: round
  fallbacks:
    - chat-fast: ["openai/cheap", "nova"]
    - local/embed: ["openai/cheap"]
  redis_host: localhost

litellm_settings:
  drop_params: true
  request_timeout: 900
  context_window_fallbacks: [{ chat-fast: [openai/strong] }]
  success_callback: [langfuse]
  cache: true

general_settings:
  master_key: sk-1234
  database_url: postgresql://litellm:secret@localhost/litellm
`;
