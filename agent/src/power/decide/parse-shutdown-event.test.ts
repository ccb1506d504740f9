import { describe, expect, it } from 'vitest';
import { parseShutdownEvent, SHUTDOWN_QUERY } from './parse-shutdown-event.js';

const BOOTED = Date.parse('2026-11-30T01:00:00Z');

/** As `wevtutil qe … /f:xml` prints it: one line, without a declaration. */
function event(id: number, kind: string, at = '2026-11-30T02:00:00.1234567Z'): string {
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
    "<Provider Name='User32' Guid='{b0aa8734-56f7-41cc-b2f4-de228e98b946}' EventSourceName='User32'/>" +
    `<EventID Qualifiers='32768'>${id}</EventID><Version>0</Version><Level>4</Level>` +
    `<TimeCreated SystemTime='${at}'/><Channel>System</Channel><Computer>wintermute</Computer></System>` +
    "<EventData><Data Name='param1'>C:\\Windows\\System32\\RuntimeBroker.exe (WINTERMUTE)</Data>" +
    "<Data Name='param2'>WINTERMUTE</Data><Data Name='param3'>Other (Unplanned)</Data>" +
    `<Data Name='param4'>0x0</Data><Data Name='param5'>${kind}</Data><Data Name='param6'></Data>` +
    "<Data Name='param7'>WINTERMUTE\\case</Data></EventData></Event>\r\n"
  );
}

describe('why a service of Windows is stopped', () => {
  it.each([
    ['a user shuts it down', event(1074, 'power off'), 'shutdown'],
    ['the same, as older systems say', event(1074, 'shutdown'), 'shutdown'],
    ['the same, in another language', event(1074, 'Ausschalten'), 'shutdown'],
    ['the same, in one that is printed as question marks', event(1074, '????'), 'shutdown'],
    ['a user, or an update, restarts it', event(1074, 'restart'), 'restart'],
    ['the same, in German', event(1074, 'Neustart'), 'restart'],
    ['it was taken back', event(1075, ''), 'service_stop'],
    ['it has started since', event(27, ''), 'service_stop'],
    ['it was before this boot', event(1074, 'restart', '2026-11-30T00:59:59.9Z'), 'service_stop'],
    ['no event', '', 'service_stop'],
    ['a text that is none', '<Event><EventID>1074</EventID>', 'service_stop'],
    ['a time that is none', event(1074, 'restart', 'yesterday'), 'service_stop'],
  ])('where %s', (_, xml, expected) => {
    expect(parseShutdownEvent(xml, BOOTED)).toBe(expected);
  });

  it('is asked for in one argument that needs no shell, the newest first', () => {
    expect(SHUTDOWN_QUERY).toHaveLength(6);
    const query = SHUTDOWN_QUERY[2] ?? '';
    expect(query.split('(').length).toBe(query.split(')').length);
    expect(query.split('[').length).toBe(query.split(']').length);
    expect(query).not.toContain('"');
  });
});
