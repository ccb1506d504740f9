import { describe, expect, test } from 'vitest';
import type { ContainerIssueCode } from './container-trouble.js';
import { readContainerEnd, readEngineLog } from './read-engine-log.js';

const cases: readonly (readonly [ContainerIssueCode, string])[] = [
  [
    'vram_insufficient',
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.78 GiB of which 1.02 GiB is free.',
  ],
  ['vram_insufficient', 'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 270.00 MiB.'],
  ['vram_insufficient', 'RuntimeError: CUDA error: out of memory'],
  [
    'vram_insufficient',
    'ValueError: Free memory on device (9.51/11.99 GiB) on startup is less than desired GPU memory utilization (0.92, 11.03 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.',
  ],
  [
    'vram_insufficient',
    'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.',
  ],
  [
    'vram_insufficient',
    "ValueError: To serve at least one request with the models's max seq len (32768), (4.00 GiB KV cache is needed, which is larger than the available KV cache memory (1.23 GiB).",
  ],
  [
    'vram_insufficient',
    "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV cache (5120).",
  ],
  [
    'vram_insufficient',
    'RuntimeError: CUDA out of memory occurred when warming up sampler with 256 dummy requests. Please try lowering `max_num_seqs`',
  ],
  [
    'vram_insufficient',
    'RuntimeError: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`'.toLowerCase(),
  ],
  [
    'model_not_found',
    "OSError: qwen/nope is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
  ],
  [
    'model_not_found',
    'huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1-67)',
  ],
  [
    'model_not_found',
    'Repository Not Found for url: https://huggingface.co/api/models/qwen/nope/tree/main?recursive=True',
  ],
  [
    'model_not_found',
    'huggingface_hub.errors.RevisionNotFoundError: 404 Client Error. Revision Not Found for url: https://huggingface.co/x/y/resolve/v9/config.json.',
  ],
  [
    'model_not_found',
    'OSError: v9 is not a valid git identifier (branch name, tag name or commit id) that exists for this model name.',
  ],
  ['model_not_found', 'OSError: org/lora does not appear to have a file named config.json.'],
  ['hf_token_needed', 'huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-66)'],
  [
    'hf_token_needed',
    'Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct/resolve/main/config.json.',
  ],
  [
    'hf_token_needed',
    'Access to model meta-llama/Llama-3.1-8B-Instruct is restricted. You must have access to it and be authenticated to access it. Please log in.',
  ],
  ['hf_token_needed', 'OSError: You are trying to access a gated repo.'],
  ['hf_token_needed', 'requests.exceptions.HTTPError: Invalid user token.'],
  ['hf_token_needed', 'Invalid credentials in Authorization header'],
  [
    'hub_unreachable',
    'huggingface_hub.errors.LocalEntryNotFoundError: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache.',
  ],
  [
    'hub_unreachable',
    "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.",
  ],
  [
    'hub_unreachable',
    'requests.exceptions.ConnectionError: (MaxRetryError("HTTPSConnectionPool(host=\'huggingface.co\', port=443): Max retries exceeded with url: /Qwen"))',
  ],
  ['hub_unreachable', "HTTPSConnectionPool(host='hf.co', port=443): Read timed out."],
  [
    'hub_unreachable',
    'huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/api: offline mode is enabled.',
  ],
  [
    'driver_too_old',
    'RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver',
  ],
  ['driver_too_old', 'CUDA driver version is insufficient for CUDA runtime version'],
  [
    'driver_too_old',
    'nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.9, please update your driver to a newer version',
  ],
  ['driver_too_old', 'Error 804: forward compatibility was attempted on non supported HW'],
  [
    'driver_too_old',
    'RuntimeError: CUDA error: the provided PTX was compiled with an unsupported toolchain.',
  ],
  ['driver_mismatch', 'Failed to initialize NVML: Driver/library version mismatch'],
  [
    'driver_mismatch',
    'nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown',
  ],
  ['driver_mismatch', 'Error 803: system has unsupported display driver / cuda driver combination'],
  ['gpu_not_in_container', 'RuntimeError: No CUDA GPUs are available'],
  [
    'gpu_not_in_container',
    'RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU',
  ],
  [
    'gpu_not_in_container',
    'RuntimeError: Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG`',
  ],
  [
    'gpu_not_in_container',
    'ImportError: libcuda.so.1: cannot open shared object file: No such file or directory',
  ],
  ['gpu_not_in_container', 'Failed to initialize NVML: Unknown Error'],
  ['gpu_not_in_container', 'pynvml.NVMLError_LibraryNotFound: NVML Shared Library Not Found'],
  ['gpu_not_in_container', 'could not select device driver "" with capabilities: [[gpu]]'],
  [
    'gpu_not_in_container',
    'RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment',
  ],
  ['cdi_spec_missing', 'Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all'],
  ['cdi_spec_missing', 'failed to inject CDI devices: unresolvable CDI devices nvidia.com/gpu=GPU-5f1d3c8e'],
  ['cdi_spec_stale', 'failed to stat CDI host device "/dev/nvidia1": no such file or directory'],
  [
    'cdi_spec_stale',
    'crun: cannot stat `/usr/lib/x86_64-linux-gnu/libcuda.so.535.104.05`: No such file or directory: OCI runtime attempted to invoke a command that was not found',
  ],
  [
    'cdi_spec_stale',
    'error mounting "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.15" to rootfs: no such file or directory',
  ],
  ['disk_full', 'OSError: [Errno 28] No space left on device'],
  ['disk_full', 'write /var/lib/docker/tmp/GetImageBlob123: no space left on device'],
  [
    'disk_full',
    'UserWarning: Not enough free disk space to download the file. The expected file size is: 4976.70 MB.',
  ],
  ['port_in_use', 'Bind for 127.0.0.1:8000 failed: port is already allocated'],
  ['port_in_use', 'rootlessport listen tcp 127.0.0.1:8000: bind: address already in use'],
  [
    'port_in_use',
    'Ports are not available: exposing port TCP 127.0.0.1:8000 -> 0.0.0.0:0: listen tcp 127.0.0.1:8000',
  ],
  [
    'engine_crashed',
    'ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your NVIDIA GeForce RTX 2080 GPU has compute capability 7.5.',
  ],
  [
    'engine_crashed',
    'ValueError: Please pass the argument `trust_remote_code=True` to allow custom code to be run.',
  ],
  ['engine_crashed', 'vllm serve: error: unrecognized arguments: --no-such-thing'],
  ['engine_crashed', "api_server.py: error: argument --dtype: invalid choice: 'int3'"],
  ['engine_crashed', 'RuntimeError: CUDA error: no kernel image is available for execution on the device'],
  ['engine_crashed', "ValueError: Model architectures ['NewForCausalLM'] are not supported for now."],
  [
    'engine_crashed',
    'ValueError: User-specified max_model_len (131072) is greater than the derived max_model_len (max_position_embeddings=32768)',
  ],
];

describe("an engine's last lines", () => {
  test.each(cases)('tell %s: %s', (code, line) => {
    expect(readEngineLog(['INFO 11-24 10:00:00 Starting', line, 'Traceback ends'])).toMatchObject({ code });
  });

  test('say that the memory of the card was short, and only then', () => {
    for (const [code, line] of cases) {
      expect(readEngineLog([line])?.outOfMemory).toBe(code === 'vram_insufficient');
    }
  });

  test('of a healthy start tell nothing', () => {
    const lines = [
      'INFO 11-24 10:00:00 [api_server.py:1177] vLLM API server version 0.11.0',
      'INFO 11-24 10:00:05 [gpu_model_runner.py:2653] Model loading took 5.2035 GiB and 3.42 seconds',
      'INFO 11-24 10:00:09 [kv_cache_utils.py:864] GPU KV cache size: 32,128 tokens',
      'INFO:     Application startup complete.',
    ];
    expect(readEngineLog(lines)).toBeNull();
  });

  test('name the first cause and not what follows from it', () => {
    const finding = readEngineLog([
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
      'RuntimeError: Engine core initialization failed. See root cause above.',
    ]);
    expect(finding).toMatchObject({ code: 'vram_insufficient', outOfMemory: true });
    expect(finding?.line).toContain('Tried to allocate 2.00 GiB');
  });

  test('are read in no time, and clipped, however long and strange they are', () => {
    const monster = `${'x'.repeat(2_000_000)} CUDA out of memory`;
    const lines = Array.from({ length: 500 }, () => monster);
    const startedMs = performance.now();
    expect(readEngineLog([...lines, '\u0000\u001b[31mNo CUDA GPUs are available\u202e'])).toMatchObject({
      code: 'gpu_not_in_container',
      line: expect.stringMatching(/^[ -~[\]]*No CUDA GPUs are available/),
    });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

describe('the end of a container', () => {
  test.each([
    [0, 'ended by itself'],
    [127, 'not in the image'],
    [137, 'killed'],
    [139, 'crashed'],
    [143, 'told to end'],
    [42, 'exit code 42'],
  ])('with exit code %i is told in words', (exitCode, words) => {
    const end = readContainerEnd({ exitCode, oomKilled: false }, []);
    expect(end).toMatchObject({ code: 'engine_crashed', outOfMemory: false });
    expect(end.line).toContain(words);
  });

  test('by the kernel for want of main memory asks for a smaller setting too', () => {
    expect(readContainerEnd({ exitCode: 137, oomKilled: true }, [])).toMatchObject({ outOfMemory: true });
  });

  test('is explained by its log where that tells', () => {
    const end = readContainerEnd({ exitCode: 1, oomKilled: false }, [
      'RuntimeError: No CUDA GPUs are available',
    ]);
    expect(end.code).toBe('gpu_not_in_container');
  });
});
