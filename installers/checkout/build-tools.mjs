import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * Which of the tools that compile a native part are not here. Asked only after a compile failed: where a
 * prebuilt part can be had none of them is needed.
 *
 * @param {(command: string, args: readonly string[]) => boolean} [answers] whether a program runs and exits 0
 * @param {NodeJS.Platform} [platform]
 * @returns {('python3' | 'make' | 'compiler')[]}
 */
export function findMissingTools(answers = runs, platform = process.platform) {
  const named = process.env['npm_config_python'] ?? process.env['PYTHON'];
  const pythons = [
    ...(named === undefined ? [] : [named]),
    'python3',
    'python',
    ...(platform === 'win32' ? ['py'] : []),
  ];
  const hasPython = pythons.some((python) =>
    answers(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']),
  );
  if (platform === 'win32')
    return [...missing('python3', hasPython), ...missing('compiler', hasVisualStudio())];
  const compilers = [process.env['CXX'] ?? 'c++', 'g++', 'clang++'];
  return [
    ...missing('python3', hasPython),
    ...missing('make', answers(process.env['MAKE'] ?? 'make', ['--version'])),
    ...missing(
      'compiler',
      compilers.some((compiler) => answers(compiler, ['--version'])),
    ),
  ];
}

/**
 * @template {string} Tool
 * @param {Tool} tool
 * @param {boolean} isHere
 * @returns {Tool[]}
 */
function missing(tool, isHere) {
  return isHere ? [] : [tool];
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** Visual Studio's own finder tells by what it prints; it exits 0 even where it found nothing. */
function hasVisualStudio() {
  const programs = process.env['ProgramFiles(x86)'] ?? 'C:\\Program Files (x86)';
  const finder = join(programs, 'Microsoft Visual Studio', 'Installer', 'vswhere.exe');
  const tools = 'Microsoft.VisualStudio.Component.VC.Tools.x86.x64';
  const found = spawnSync(finder, ['-products', '*', '-requires', tools, '-property', 'installationPath'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return found.status === 0 && found.stdout.trim() !== '';
}
