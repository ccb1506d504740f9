import { describe, expect, test } from 'vitest';
import { parseComputeApps, parsePmon } from './parse-process-list.js';

const PMON = `# gpu         pid   type     fb   ccpm    command
# Idx           #    C/G     MB     MB    name
    0       1204     G    310      0    Xorg
    0       1410     G     95      0    gnome-shell
    0       5678   C+G   2100      0    blender
    0       9012     C   6200      0    VLLM::EngineCor
    0       9100     G   4100      0    The Witcher 3
`;

describe('the processes on a card', () => {
  test('of Linux are named without the desktop and our engine, the largest first', () => {
    expect(parsePmon(PMON)).toEqual(['The Witcher 3', 'blender']);
  });

  test('of an older driver have fewer columns', () => {
    const text =
      '# gpu        pid  type    fb   command\n# Idx          #   C/G    MB   name\n    0       42     C   700   python3\n';
    expect(parsePmon(text)).toEqual(['python3']);
  });

  test('of an idle card are none', () => {
    expect(
      parsePmon(`${PMON.split('\n').slice(0, 2).join('\n')}\n    0          -     -      -      -    -\n`),
    ).toEqual([]);
  });

  test.each(['', 'pmon is not supported on this system', 'Invalid argument'])(
    'of a refusal are none: %j',
    (text) => {
      expect(parsePmon(text)).toEqual([]);
    },
  );

  test('of Windows are named by their file, each once, eight at most', () => {
    const text = [
      'C:\\Windows\\explorer.exe',
      'C:\\Windows\\System32\\dwm.exe',
      '[Insufficient Permissions]',
      'D:\\Games\\Cyberpunk 2077\\bin\\Cyberpunk2077.exe',
      'D:\\Games\\Cyberpunk 2077\\bin\\Cyberpunk2077.exe',
      ...Array.from({ length: 12 }, (_, at) => `C:\\tools\\tool${at}.exe`),
    ].join('\r\n');
    const names = parseComputeApps(text);
    expect(names).toHaveLength(8);
    expect(names.slice(0, 2)).toEqual(['Cyberpunk2077.exe', 'tool0.exe']);
  });
});
