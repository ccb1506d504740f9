/** A CDI spec of a card that is none, as `nvidia-ctk cdi generate` would write it: it brings a tool into containers. */
export function cdiSpec(uuid: string, nvidiaSmi: string): string {
  return `cdiVersion: "0.3.0"
kind: nvidia.com/gpu
devices:
  - name: ${uuid}
    containerEdits:
      env: ["NVIDIA_VISIBLE_DEVICES=void"]
      mounts:
        - hostPath: ${JSON.stringify(nvidiaSmi)}
          containerPath: /usr/bin/nvidia-smi
          options: [ro, nosuid, nodev, bind]
`;
}
