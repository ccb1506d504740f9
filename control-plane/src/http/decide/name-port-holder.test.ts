import { expect, test } from 'vitest';
import { namePortHolder } from './name-port-holder.js';

const socket = {
  ...{ state: 'LISTEN', localAddress: '127.0.0.1', localPort: '8000', pid: 12, process: 'python3' },
};

test.each([
  ['its name and process', socket, 'python3 (process 12)'],
  ['its process, where its name is not shown', { ...socket, process: '' }, 'process 12'],
  ['nothing, where neither is shown', { ...socket, pid: 0, process: '' }, 'another program'],
  ['who listens on every address', { ...socket, localAddress: '[::]' }, 'python3 (process 12)'],
  ['an address with its interface', { ...socket, localAddress: '127.0.0.1%lo' }, 'python3 (process 12)'],
  ['not who has another port', { ...socket, localPort: '8001' }, 'another program'],
  ['not who has the port of another address', { ...socket, localAddress: '10.0.0.7' }, 'another program'],
  ['not who is connected to it', { ...socket, state: 'ESTABLISHED' }, 'another program'],
])('the holder of a port is told by %s', (_, open, told) => {
  expect(namePortHolder([open], { host: '127.0.0.1', port: 8000 })).toBe(told);
});

test('whoever wants every address is told who has the port of one', () => {
  expect(namePortHolder([socket], { host: '0.0.0.0', port: 8000 })).toBe('python3 (process 12)');
});
