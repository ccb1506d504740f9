import { describe, expect, it } from 'vitest';
import { findMissingTools } from './build-tools.mjs';

function machineWith(...programs: string[]) {
  return (command: string) => programs.includes(command);
}

describe('the tools that compile a native part', () => {
  it('are all here', () => {
    expect(findMissingTools(machineWith('python3', 'make', 'g++'), 'linux')).toEqual([]);
    expect(findMissingTools(machineWith('python', 'make', 'clang++'), 'darwin')).toEqual([]);
  });

  it('are named one by one when absent', () => {
    expect(findMissingTools(machineWith('python3', 'c++'), 'linux')).toEqual(['make']);
    expect(findMissingTools(machineWith('make'), 'linux')).toEqual(['python3', 'compiler']);
    expect(findMissingTools(machineWith(), 'linux')).toEqual(['python3', 'make', 'compiler']);
  });

  it('on Windows are a Python by any of its names and Visual Studio, never make', () => {
    expect(findMissingTools(machineWith('py'), 'win32')).not.toContain('python3');
    expect(findMissingTools(machineWith(), 'win32')).toEqual(['python3', 'compiler']);
  });
});
