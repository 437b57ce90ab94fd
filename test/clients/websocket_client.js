// The runtime's own WebSocket: URL. Sends three messages, the last of 1 MiB, and prints what came back.
const socket = new WebSocket(process.argv[2]);
const messages = ["one", "two", "x".repeat(1 << 20)];
const received = [];
const failed = (why) => {
  process.stderr.write(`${why}\n`);
  process.exit(1);
};
setTimeout(() => failed("no answer"), 15_000).unref?.();
socket.onerror = (event) => failed(event.message ?? event.error ?? "error");
socket.onopen = () => socket.send(messages[0]);
socket.onmessage = ({ data }) => {
  received.push(data);
  const next = messages[received.length];
  if (next !== undefined) socket.send(next);
  else socket.close();
};
socket.onclose = () => {
  process.stdout.write(received.map((text) => `${text.length}:${text.slice(0, 3)}`).join(" "));
  process.exit(0);
};
