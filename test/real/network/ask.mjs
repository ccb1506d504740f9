// One HTTP request from wherever this process stands: the question comes as JSON by standard input (an admin token
// must not stand on a command line), the answer goes out as JSON.
import { request } from 'node:http';

let text = '';
for await (const part of process.stdin) text += part;
const { url, method, headers, body, timeoutMs = 5_000 } = JSON.parse(text);

const call = request(url, { method, headers, timeout: timeoutMs, agent: false }, async (response) => {
  let answer = '';
  for await (const part of response) answer += part;
  process.stdout.write(JSON.stringify({ status: response.statusCode, body: answer }));
});
call.on('timeout', () => call.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
call.on('error', (error) =>
  process.stdout.write(JSON.stringify({ status: error.code, body: error.message })),
);
call.end(body);
