/**
 * Asks an admin interface as an open page does.
 *
 * Owns: which paths, and how often. What is answered is read to its end and dropped.
 */

import { request } from "node:http";

/** Milliseconds, as the page has it. */
const EVERY = 2_000;
const PATHS = [
  "status",
  "history",
  "names?limit=20",
  "upstreams",
  "connections?limit=100",
  "log?limit=50",
  "routes?limit=100",
];

/** Begins at once. @param socket the interface's path. @returns how to stop. */
export function pollLikeThePage(socket: string): () => void {
  const ask = async (): Promise<void> => {
    for (const path of PATHS) await get(socket, `/api/v1/${path}`);
  };
  void ask();
  const timer = setInterval(() => void ask(), EVERY);
  return () => clearInterval(timer);
}

/** A proxy that is not there yet, or not any more, is no reason to stop. */
function get(socketPath: string, path: string): Promise<void> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, headers: { Host: "localhost" } }, (answer) => {
      if (answer.statusCode !== 200) process.stderr.write(`${path}: ${answer.statusCode}\n`);
      answer.resume().on("close", resolve);
    });
    asked.on("error", () => resolve());
    asked.end();
  });
}
