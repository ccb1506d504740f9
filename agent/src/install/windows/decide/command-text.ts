import { SERVICE } from './windows-paths.js';

const PARAMETERS = `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${SERVICE}\\Parameters`;

/**
 * What starts, by hand, the version that runs as the service: the wrapper's own word for it. So it stays as it is, whatever is
 * upgraded: who runs it reads on in it afterwards.
 */
export const COMMAND_TEXT = `@for /f "tokens=2,*" %%a in ('%SystemRoot%\\System32\\reg.exe query ${PARAMETERS} /v Application') do @"%%b" %*\r\n`;
