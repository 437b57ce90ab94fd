/** A worker as the program has it, for tests that use the library. */

import { serveAsThread } from "../../adapters/worker.ts";

await serveAsThread();
