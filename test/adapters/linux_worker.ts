/** A thread that is an engine's alone, for its test: it echoes messages at once or through a promise, and bytes. */

import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { createLinuxAdapter } from "../../adapters/linux/engine.ts";
import { openLibc } from "../../adapters/linux/ffi.ts";
import { runForever } from "../../adapters/linux/turns.ts";

// Not `parentPort`: on Deno that is none which `receiveMessageOnPort` takes.
const { port } = workerData as { port: MessagePort };
const engine = createLinuxAdapter(await openLibc());
let isOver = false;

const listener = await engine.adapter.listen({ kind: "tcp", ip: "127.0.0.1", port: 0 }, (socket) => {
  socket.handlers = {
    received(bytes) {
      socket.write(bytes);
      socket.read();
    },
    ended: () => socket.destroy(),
    closed: () => undefined,
  };
  socket.read();
});

function take(message: { echo?: number; promise?: number; end?: boolean }): void {
  if (message.end === true) {
    isOver = true;
    port.postMessage({ ended: true });
  } else if (message.promise !== undefined) {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => port.postMessage({ promise: message.promise }));
  } else {
    port.postMessage(message);
  }
}

port.postMessage({
  wakeDescriptor: engine.wakeDescriptor,
  port: listener.endpoint.kind === "tcp" ? listener.endpoint.port : 0,
});
await runForever(
  engine,
  () => {
    for (let item = receiveMessageOnPort(port); item !== undefined; item = receiveMessageOnPort(port))
      take(item.message);
  },
  () => isOver,
);
engine.close();
