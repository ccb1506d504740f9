import { expect, it, test } from 'vitest';
import { findForeignOwner } from './find-foreign-owner.js';
import {
  clearFolderCalls,
  closeFolderCall,
  type FolderUse,
  handDownCalls,
  ownerCall,
  ownFolderCalls,
} from './folder-access.js';
import { judgeAcl } from './judge-acl.js';
import { windowsPaths } from './windows-paths.js';

const paths = windowsPaths({
  windows: 'C:\\Windows',
  programFiles: 'C:\\Program Files',
  programData: 'C:\\ProgramData',
  localAppData: null,
});
const ICACLS = 'C:\\Windows\\System32\\icacls.exe';
const OURS = ['*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F'];

it('asks for an owner by a name that no quote ends', () =>
  expect(ownerCall(paths, "C:\\Zoë's")).toEqual([
    'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    [
      ...['-NoProfile', '-NonInteractive', '-Command'],
      "(Get-Acl -LiteralPath 'C:\\Zoë''s').GetOwner([Security.Principal.SecurityIdentifier]).Value",
    ],
  ]));

test.each([
  ['S-1-5-18\r\n', null],
  ['S-1-5-32-544\r\n', null],
  ['S-1-5-21-1-2-3-1001\r\n', null],
  ['S-1-5-21-1-2-3-1002\r\n', 'S-1-5-21-1-2-3-1002'],
  ['', null],
  ['Get-Acl : S-1-5-21-1-2-3-1002 cannot be found', null],
])('of the owner %j that of somebody else is %j', (told, foreign) =>
  expect(findForeignOwner(told, 'S-1-5-21-1-2-3-1001')).toBe(foreign),
);

it('takes a folder over, by force where its ACL keeps administrators out', () =>
  expect(ownFolderCalls(paths, 'C:\\a b')).toEqual([
    [ICACLS, ['C:\\a b', '/setowner', '*S-1-5-32-544', '/L', '/Q']],
    ['C:\\Windows\\System32\\takeown.exe', ['/F', 'C:\\a b', '/A']],
  ]));

test.each<[FolderUse, string[]]>([
  ['private', OURS],
  ['readable', [...OURS, '*S-1-5-32-545:(OI)(CI)RX']],
])('closes a %s one in one call, to all but these', (use, grants) =>
  expect(closeFolderCall(paths, 'C:\\a b', use)).toEqual([
    ICACLS,
    ['C:\\a b', '/inheritance:r', '/grant:r', ...grants, '/L', '/Q'],
  ]),
);

it('cuts off what is in a folder before that is as open as the one above', () => {
  expect(clearFolderCalls(paths, 'C:\\a b', true)).toEqual([
    [ICACLS, ['C:\\a b\\*', '/inheritance:d', '/C', '/L', '/Q']],
    [ICACLS, ['C:\\a b', '/reset', '/L', '/Q']],
  ]);
  expect(clearFolderCalls(paths, 'C:\\a b', false)).toEqual([[ICACLS, ['C:\\a b', '/reset', '/L', '/Q']]]);
});

it('hands down what a folder has to what is in it, and never opens the folder itself', () =>
  expect(handDownCalls(paths, 'C:\\a b')).toEqual([
    [ICACLS, ['C:\\a b\\*', '/setowner', '*S-1-5-32-544', '/T', '/C', '/L', '/Q']],
    [ICACLS, ['C:\\a b\\*', '/reset', '/T', '/C', '/L', '/Q']],
  ]));

test.each([
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)\r\n', 'ours', 'ours'],
  ['agent\r\nD:P(A;OICI;FA;;;S-1-5-18)(A;OICI;FA;;;S-1-5-32-544)\r\n', 'ours', 'ours'],
  ['agent\r\nD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)\r\n', 'others_too', 'ours'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;FRFX;;;S-1-5-20)\r\n', 'others_too', 'ours'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;CI;0x1200af;;;BU)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;FRSD;;;BU)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(XA;OICI;FR;;;BU)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICIIO;FA;;;CO)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:PAI(A;OICI;FA;;;S-1-5-21-1-2-3-1001)(A;OICI;FA;;;SY)\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:NO_ACCESS_CONTROL\r\n', 'others_too', 'others_too'],
  ['agent\r\nD:P\r\n', 'others_too', 'others_too'],
  ['', 'unknown', 'unknown'],
])('the ACL %j is %s of a private folder, %s of a readable one', (saved, asPrivate, asReadable) => {
  expect(judgeAcl(saved, 'private')).toBe(asPrivate);
  expect(judgeAcl(saved, 'readable')).toBe(asReadable);
});
