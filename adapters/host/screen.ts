/**
 * The terminal as a whole, for a picture that is drawn again and again.
 *
 * Owns: its state (raw input, the second buffer, the cursor), and that it is given back however the program ends.
 */

import process from "node:process";
import type { Screen } from "../../src/host.ts";

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
/** Those that end a program, by their numbers, which its exit code tells. */
const ENDING = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export function openScreen(): Screen | undefined {
  const { stdin, stdout } = process;
  if (!stdout.isTTY || !stdin.isTTY) return undefined;
  const listeners: (() => void)[] = [];
  const restore = (): void => {
    stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  process.once("exit", restore);
  for (const [signal, number] of Object.entries(ENDING)) {
    const end = (): void => process.exit(128 + number);
    process.once(signal, end);
    listeners.push(() => process.off(signal, end));
  }
  stdin.setRawMode(true);
  stdin.resume();
  stdout.write(ENTER);
  return {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    write: (text) => void stdout.write(text),
    onInput(handler) {
      const key = (bytes: Buffer): void => handler(bytes.toString("utf8"));
      const resized = (): void => handler("");
      stdin.on("data", key);
      stdout.on("resize", resized);
      listeners.push(
        () => stdin.off("data", key),
        () => stdout.off("resize", resized),
      );
    },
    after(milliseconds, tick) {
      const timer = setTimeout(tick, milliseconds);
      return () => clearTimeout(timer);
    },
    close() {
      for (const remove of listeners.splice(0)) remove();
      process.off("exit", restore);
      restore();
      stdin.pause();
    },
  };
}
