import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from './error-table.js';

describe('the errors of the gateway', () => {
  it('blame the client with 4xx alone', () => {
    for (const { status, type } of Object.values(ERROR_TABLE)) {
      expect(status >= 500).toBe(type === 'server_error');
    }
  });
});
