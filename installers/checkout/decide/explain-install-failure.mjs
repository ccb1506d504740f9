/**
 * What an install left behind when it failed.
 *
 * @typedef {object} InstallFailure
 * @property {string} log everything that the package manager said
 * @property {readonly ('python3' | 'make' | 'compiler')[]} missingTools
 * @property {NodeJS.Platform} platform
 */

const unreachable =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b|dns error|error sending request|Connection refused|network is unreachable/i;

/**
 * Why the install failed and what to do about it: the nearest cause that its log allows.
 *
 * @param {InstallFailure} failure
 * @returns {string} one or more lines
 */
export function explainInstallFailure(failure) {
  if (/\bENOSPC\b|no space left on device/i.test(failure.log)) {
    return 'The disk is full. Free some space (about 1 GB is enough), then run the command again.';
  }
  if (/ERR_PNPM_OUTDATED_LOCKFILE|pnpm-lock\.yaml is not up to date/i.test(failure.log)) {
    return (
      'pnpm-lock.yaml does not match the package.json files. Whoever changed a dependency has to run\n' +
      '  npx --yes pnpm@12.21.0 install\nand commit pnpm-lock.yaml with the change.'
    );
  }
  if (/"depPath":"better-sqlite3@|gyp ERR!/.test(failure.log) && /gyp ERR!/.test(failure.log)) {
    return explainCompileFailure(failure);
  }
  if (unreachable.test(failure.log)) {
    return (
      'The package registry could not be reached. A first set-up needs the network: check the connection,\n' +
      'the name server and any proxy (HTTPS_PROXY, npm config get proxy), then run the command again.'
    );
  }
  return 'The package manager failed for a reason that is not one of the known ones.';
}

/** @param {InstallFailure} failure */
function explainCompileFailure(failure) {
  const cause = 'No prebuilt better-sqlite3 could be had for this Node and machine, so it has to be compiled';
  if (failure.missingTools.length > 0) {
    return `${cause}, and that needs ${nameTools(failure.missingTools)}, which this machine lacks.\n${installAdvice(failure)}`;
  }
  if (unreachable.test(failure.log)) {
    return (
      `${cause}. The tools are here, but Node's own header files are not, and fetching them failed.\n` +
      'Either allow HTTPS to nodejs.org, or install Node from its own archive, which brings the headers\n' +
      '(include/node beside bin/), then run the command again.'
    );
  }
  return `${cause}, and the compiler refused. Its words are in the log.`;
}

/** @param {InstallFailure['missingTools']} missing */
function nameTools(missing) {
  const names = { python3: 'Python 3', make: 'make', compiler: 'a C++ compiler' };
  const words = missing.map((tool) => names[tool]);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** @param {InstallFailure} failure */
function installAdvice({ missingTools, platform }) {
  if (platform === 'win32') {
    return [
      'Install what is missing, open a new terminal and run the command again:',
      ...(missingTools.includes('python3') ? ['  winget install Python.Python.3.12'] : []),
      ...(missingTools.includes('compiler')
        ? [
            '  winget install Microsoft.VisualStudio.2022.BuildTools --override "--wait --passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"',
          ]
        : []),
    ].join('\n');
  }
  if (platform === 'darwin') {
    return 'Install the command line tools, then run the command again:\n  xcode-select --install';
  }
  const debian = { python3: 'python3', make: 'make', compiler: 'g++' };
  const fedora = { python3: 'python3', make: 'make', compiler: 'gcc-c++' };
  return [
    'Install what is missing, then run the command again:',
    `  Debian, Ubuntu:  sudo apt-get install -y ${missingTools.map((tool) => debian[tool]).join(' ')}`,
    `  Fedora, RHEL:    sudo dnf install -y ${missingTools.map((tool) => fedora[tool]).join(' ')}`,
  ].join('\n');
}
