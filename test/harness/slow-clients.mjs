// Many clients in one process, each of which sends its headers a byte at a time and never ends them.
// Usage: slow-clients.mjs PORT COUNT. Tells on standard output, a line of JSON each: {"open":N,"ended":M}.
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
const AT_ONCE = 250;
const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ';
const sockets = new Set();
let ended = 0;

function open() {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  socket.on('connect', () => socket.write(HEAD));
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  socket.on('end', () => socket.destroy());
  socket.on('close', () => {
    sockets.delete(socket);
    ended++;
  });
}

let started = 0;
const starting = setInterval(() => {
  for (let each = 0; each < AT_ONCE && started < count; each++, started++) open();
  if (started === count) clearInterval(starting);
}, 25);
setInterval(() => {
  for (const socket of sockets) if (socket.readyState === 'open') socket.write('x');
}, 1_000);
setInterval(() => {
  console.log(JSON.stringify({ started, open: sockets.size, ended }));
}, 100);
