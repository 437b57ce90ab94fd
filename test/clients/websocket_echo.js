// An origin with Bun's own WebSocket server over TLS: CERTIFICATE KEY. Prints its port, and echoes.
const [certificate, key] = process.argv.slice(2);
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  tls: { cert: Bun.file(certificate), key: Bun.file(key) },
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no upgrade", { status: 426 })),
  websocket: { message: (socket, message) => void socket.send(message) },
});
process.stdout.write(`${server.port}\n`);
