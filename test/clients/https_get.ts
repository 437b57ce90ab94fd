/** One HTTPS request by whichever runtime runs this file, certificate checks on: PORT NAME CA_FILE. Prints JSON. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { httpsGet } from "../../adapters/demo/client.ts";

const [port, serverName, caPath] = process.argv.slice(2);
const outcome = await httpsGet({
  host: "127.0.0.1",
  port: Number(port),
  serverName: serverName ?? "",
  ca: readFileSync(caPath ?? "", "utf8"),
});
process.stdout.write(`${JSON.stringify(outcome)}\n`);
