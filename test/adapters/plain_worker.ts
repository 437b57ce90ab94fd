/** A worker as the program has it, for tests that use the library. */

import { serveAsWorker } from "../../adapters/worker.ts";

await serveAsWorker();
