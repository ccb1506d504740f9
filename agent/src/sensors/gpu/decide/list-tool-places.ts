/** Where nvidia-smi may be, by absolute path. */
export interface ToolPlaces {
  /** Looked at in this order. */
  readonly files: readonly string[];
  /** Windows' driver store: the newest `<folder>/nv…/nvidia-smi.exe` counts, after `files[0]`. */
  readonly driverStore: string | null;
}

const LINUX = [
  // First: under WSL a tool of a Linux package would not fit the Windows driver.
  '/usr/lib/wsl/lib/nvidia-smi',
  '/usr/bin/nvidia-smi',
  '/usr/local/bin/nvidia-smi',
  '/usr/local/nvidia/bin/nvidia-smi',
  '/opt/bin/nvidia-smi',
  '/run/current-system/sw/bin/nvidia-smi',
];

/**
 * A service's PATH is short, so the tool is never looked for by name alone.
 *
 * @param windowsDirectory such as "C:\Windows"
 * @param programFiles such as "C:\Program Files"
 */
export function listToolPlaces(platform: string, windowsDirectory: string, programFiles: string): ToolPlaces {
  if (platform !== 'win32') return { files: LINUX, driverStore: null };
  return {
    files: [
      `${windowsDirectory}\\System32\\nvidia-smi.exe`,
      `${programFiles}\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe`,
    ],
    driverStore: `${windowsDirectory}\\System32\\DriverStore\\FileRepository`,
  };
}
