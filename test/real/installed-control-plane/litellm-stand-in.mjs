#!/usr/bin/env node
// Stands for a LiteLLM proxy: started as one, with its arguments, and listening as one.
import { createServer } from 'node:http';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);

createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ data: [{ id: 'chat-fast' }], served_by: 'litellm' }));
}).listen(port, '127.0.0.1');
