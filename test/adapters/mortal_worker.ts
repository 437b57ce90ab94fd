/** A worker as the program has it, but for a fault: it dies of `cut`. */

import { serveAsThread } from "../../adapters/worker.ts";
import { DataPlane } from "../../src/workers/data_plane.ts";

const { receive } = DataPlane.prototype;
DataPlane.prototype.receive = function (message): void {
  if (message.kind === "cut") throw new Error("told to die");
  receive.call(this, message);
};

await serveAsThread();
