import { describe, expect, it } from 'vitest';
import { planQueryFields } from './plan-query-fields.js';

const names = (refused: readonly string[]): readonly string[] | undefined =>
  planQueryFields(new Set(refused))?.map(({ name }) => name);

describe('what nvidia-smi is asked for', () => {
  it('asks for the identity of each row first', () => {
    expect(names([])?.slice(0, 3)).toEqual(['uuid', 'index', 'pci.bus_id']);
  });

  it('asks for each column once', () => {
    const columns = planQueryFields(new Set())?.map(({ column }) => column) ?? [];
    expect(new Set(columns).size).toBe(columns.length);
  });

  it('falls back to the older spelling of the clock reasons', () => {
    const older = names(['clocks_event_reasons.active']);
    expect(older).toContain('clocks_throttle_reasons.active');
    expect(older).not.toContain('clocks_event_reasons.active');
  });

  it('drops a field when no spelling of it is left, and keeps the rest', () => {
    const without = names([
      'clocks_event_reasons.active',
      'clocks_throttle_reasons.active',
      'temperature.memory',
    ]);
    expect(without).not.toContain('temperature.memory');
    expect(without).toHaveLength((names([])?.length ?? 0) - 2);
  });

  it('gives up when the driver knows no name for the UUID', () => {
    expect(names(['uuid'])?.[0]).toBe('gpu_uuid');
    expect(names(['uuid', 'gpu_uuid'])).toBeUndefined();
  });

  it('comes to an end when the driver refuses whatever it is asked', () => {
    const refused: string[] = [];
    for (let plan = names(refused); plan !== undefined; plan = names(refused)) {
      expect(refused.length).toBeLessThan(40);
      refused.push(plan.at(-1) as string);
    }
    expect(names(refused)).toBeUndefined();
  });
});
