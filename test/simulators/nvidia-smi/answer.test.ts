import { describe, expect, it } from 'vitest';
import { answer, type SmiAction } from './answer.js';
import { SENTINELS } from './answer-query.js';
import { DRIVER_GENERATIONS } from './driver-generations.js';
import { parseArguments } from './parse-arguments.js';
import { type NvidiaSmiScenario, nvidiaSmiScenario, SAMPLE_CARDS } from './scenario.js';

const now = new Date(2026, 5, 22, 23, 4, 18, 311);

function ask(scenario: Partial<NvidiaSmiScenario>, args: string, tick = 0): SmiAction {
  const moment = { tick, scenarioTick: tick, now };
  return answer(nvidiaSmiScenario(scenario), parseArguments(args.split(' ')), moment);
}

function text(scenario: Partial<NvidiaSmiScenario>, args: string, tick = 0): string {
  const action = ask(scenario, args, tick);
  if (action.kind === 'hang') throw new Error('it hangs');
  return action.text;
}

const loop = (fields: string) => `--query-gpu=${fields} --format=csv,noheader,nounits -l 2`;
const element = (xml: string, path: RegExp) => path.exec(xml)?.[1];

describe('--query-gpu', () => {
  it('prints a line per card, with or without header and units', () => {
    const cards = [SAMPLE_CARDS.rtx2080, SAMPLE_CARDS.rtx4070Super];
    expect(text({ cards }, loop('index,name,memory.total'))).toBe(
      '0, NVIDIA GeForce RTX 2080, 8192\n1, NVIDIA GeForce RTX 4070 SUPER, 12282\n',
    );
    expect(text({}, '--query-gpu=timestamp,gpu_name,memory.total --format=csv')).toBe(
      'timestamp, name, memory.total [MiB]\n2026/06/22 23:04:18.311, NVIDIA GeForce RTX 2080, 8192 MiB\n',
    );
  });

  it('answers only for the cards asked for', () => {
    const cards = [SAMPLE_CARDS.rtx2080, SAMPLE_CARDS.rtx4070];
    expect(text({ cards }, `${loop('index')} -i ${SAMPLE_CARDS.rtx4070.uuid}`)).toBe('1\n');
  });

  it('fails as a whole for one unknown field, on standard output, with exit code 2', () => {
    const action = ask({ driver: 525 }, loop('uuid,clocks_event_reasons.active'));
    const said = 'Field "clocks_event_reasons.active" is not a valid field to query.\n\n';
    expect(action).toEqual({ kind: 'end', text: said, exitCode: 2 });
  });

  it('knows each generation’s spelling of the clock reasons', () => {
    for (const driver of DRIVER_GENERATIONS) {
      const newer = ask({ driver }, loop('clocks_event_reasons.active')).kind;
      expect(newer).toBe(driver >= 570 ? 'print' : 'end');
      expect(ask({ driver }, loop('clocks_throttle_reasons.active')).kind).toBe('print');
    }
  });

  it('moves its readings within the bounds of the card, and the same way each time', () => {
    const fields = loop('utilization.gpu,memory.used,temperature.gpu,power.draw,clocks.sm');
    const lines = Array.from({ length: 200 }, (_, tick) => text({ seed: 7 }, fields, tick));
    expect(lines).toEqual(Array.from({ length: 200 }, (_, tick) => text({ seed: 7 }, fields, tick)));
    expect(new Set(lines).size).toBeGreaterThan(100);
    expect(lines).not.toEqual(Array.from({ length: 200 }, (_, tick) => text({ seed: 8 }, fields, tick)));
    for (const line of lines) {
      const [gpu = -1, used = -1, celsius = -1, watts = -1, mhz = -1] = line.split(',').map(Number);
      expect(gpu >= 0 && gpu <= 100 && used > 0 && used <= 8192 && celsius > 30 && celsius < 95).toBe(true);
      expect(watts > 0 && watts <= 215 && mhz > 0 && mhz <= 2100).toBe(true);
    }
  });

  it('says N/A for utilisation under MIG, and tells the slices in -L', () => {
    const cards = [SAMPLE_CARDS.h100Mig];
    expect(text({ cards }, loop('utilization.gpu,mig.mode.current'))).toBe('[N/A], Enabled\n');
    expect(text({ cards }, '-L').split('\n')).toHaveLength(4);
    expect(text({ cards }, '-L')).toContain('  MIG 3g.40gb     Device  0: (UUID: MIG-');
  });

  it('has the shape of Windows: WDDM and lines that end in CRLF', () => {
    const line = text({ platform: 'windows' }, loop('driver_model.current,persistence_mode,driver_version'));
    expect(line).toBe('WDDM, [N/A], 581.57\r\n');
  });

  it('prints every word that stands for no number, another one each tick', () => {
    const seen = new Set<string>();
    for (let tick = 0; tick < SENTINELS.length; tick += 1) {
      const line = text({ behaviour: { kind: 'sentinels' } }, loop('uuid,power.draw'), tick);
      seen.add(line.trim().split(', ')[1] ?? '');
    }
    expect(seen).toEqual(new Set(SENTINELS));
    const card = { ...SAMPLE_CARDS.rtx2080, fixedValues: { 'fan.speed': '[Unknown Error]' } };
    expect(text({ cards: [card] }, loop('fan.speed,pstate'))).toBe('[Unknown Error], P2\n');
  });

  it('lists the fields of its generation with their other spellings', () => {
    expect(text({ driver: 470 }, '--help-query-gpu')).not.toContain('"memory.reserved"');
    expect(text({}, '--help-query-gpu')).toContain('"clocks.current.sm" or "clocks.sm"');
  });
});

describe('-q -x', () => {
  const xml = (scenario: Partial<NvidiaSmiScenario>) => text(scenario, '-q -x');

  it('names power as each generation does', () => {
    expect(xml({ driver: 470 })).toMatch(/<power_readings>[\s\S]*<power_draw>[\s\S]*<power_limit>215.00 W</);
    expect(xml({ driver: 525 })).not.toContain('gpu_power_readings');
    expect(xml({ driver: 535 })).toMatch(
      /<gpu_power_readings>[\s\S]*<power_draw>[\s\S]*<current_power_limit>/,
    );
    expect(xml({ driver: 570 })).not.toContain('<power_draw>');
    expect(xml({ driver: 570 })).toContain('<gpu_memory_power_readings>');
    const ceiling = /<gpu_power_readings>[\s\S]*?<power_limit_ceiling>\s*<current_power_limit>([^<]*)/;
    expect(element(xml({ driver: 610 }), ceiling)).toBe('215.00 W');
    expect(xml({ driver: 535 })).toMatch(/<module_power_readings>[\s\S]*<current_power_limit>N\/A/);
  });

  it('names versions and clock reasons as each generation does', () => {
    expect(xml({ driver: 580 })).toContain('<driver_version>580.95.05</driver_version>');
    expect(xml({ driver: 580 })).not.toContain('kmd_version');
    expect(xml({ driver: 610 })).toContain('<kmd_version>610.57.04</kmd_version>');
    expect(xml({ driver: 535 })).toContain('<clocks_throttle_reasons>');
    expect(xml({ driver: 570 })).toContain('<clocks_event_reasons>');
  });

  it('tells every card, its slices under MIG, and WDDM on Windows', () => {
    const cards = [SAMPLE_CARDS.rtx2080, SAMPLE_CARDS.h100Mig];
    expect(xml({ cards }).match(/<gpu id="/g)).toHaveLength(2);
    expect(xml({ cards }).match(/<mig_device>/g)).toHaveLength(2);
    expect(xml({ platform: 'windows' })).toMatch(/<current_dm>WDDM<[\s\S]*<minor_number>N\/A</);
  });

  it('says of a lost card that it is lost, where it answers at all', () => {
    const { uuid } = SAMPLE_CARDS.rtx2080;
    const lost = xml({ behaviour: { kind: 'card_lost', uuid, atStart: 'rows' } });
    expect(lost).toContain(`<uuid>${uuid}</uuid>`);
    expect(lost).toContain('<gpu_temp>GPU is lost</gpu_temp>');
  });
});

describe('failures', () => {
  it('ends with NVML’s exit codes and the tool’s words', () => {
    const end = (kind: 'version_mismatch' | 'driver_not_loaded' | 'library_not_found' | 'no_devices') => {
      const action = ask({ behaviour: { kind } }, loop('uuid'));
      return action.kind === 'end' ? [action.exitCode, action.text.split('\n')[0]] : action.kind;
    };
    const mismatch = 'Failed to initialize NVML: Driver/library version mismatch';
    expect(end('version_mismatch')).toEqual([18, mismatch]);
    expect(end('driver_not_loaded')[0]).toBe(9);
    expect(end('library_not_found')[0]).toBe(12);
    expect(end('no_devices')).toEqual([6, 'No devices were found']);
  });

  it('loses one card and goes on with the others', () => {
    const cards = [SAMPLE_CARDS.rtx2080, SAMPLE_CARDS.rtx4070];
    const behaviour = { kind: 'card_lost' as const, uuid: SAMPLE_CARDS.rtx2080.uuid, afterTicks: 2 };
    const fields = loop('uuid,memory.total');
    expect(text({ cards, behaviour }, fields, 1)).not.toContain('lost');
    const [first, second] = text({ cards, behaviour }, fields, 2).split('\n');
    expect(first).toBe(`${SAMPLE_CARDS.rtx2080.uuid}, [GPU is lost]`);
    expect(second).toBe(`${SAMPLE_CARDS.rtx4070.uuid}, 8188`);
    const without = { ...behaviour, identityLost: true, words: 'ERR!' };
    expect(text({ cards, behaviour: without }, fields, 2).split('\n')[0]).toBe('ERR!, ERR!');
  });

  it('fails as a whole with exit code 15 when it starts while a card is lost', () => {
    const behaviour = { kind: 'card_lost' as const, uuid: SAMPLE_CARDS.rtx2080.uuid };
    const said =
      'Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.  Reboot the system to recover this GPU\n\n';
    expect(ask({ behaviour }, loop('uuid'))).toEqual({ kind: 'end', text: said, exitCode: 15 });
  });

  it('hangs, ends and prints garbage from the tick it was told', () => {
    const behaviour = { kind: 'hang' as const, afterTicks: 3 };
    expect(ask({ behaviour }, loop('uuid'), 2).kind).toBe('print');
    expect(ask({ behaviour }, loop('uuid'), 3).kind).toBe('hang');
    const exits = { kind: 'exits' as const, afterTicks: 1, exitCode: 255 };
    expect(ask({ behaviour: exits }, loop('uuid'), 1)).toMatchObject({ kind: 'end', exitCode: 255 });
    const garbage = text({ behaviour: { kind: 'garbage' } }, loop('uuid'), 4);
    expect(garbage).toBe('Segmentation fault (core dumped)\n');
  });

  it('refuses arguments that it does not know, with exit code 2', () => {
    expect(ask({}, '--query-gpu=uuid')).toMatchObject({ kind: 'end', exitCode: 2 });
    expect(ask({}, '--reboot')).toMatchObject({ kind: 'end', exitCode: 2 });
  });
});
