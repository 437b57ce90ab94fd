/**
 * A headless Chromium under the DevTools protocol, over its pipe: no port, no package.
 *
 * Owns: the browser's process, and one page with all that it says of itself: console, errors, requests.
 */

import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--lang=en",
  "--remote-debugging-pipe",
];

type Json = Readonly<Record<string, unknown>>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

/** Messages with a NUL after each, over descriptors 3 and 4. */
class Pipe {
  readonly #out: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #last = 0;
  onEvent: (method: string, params: Json) => void = () => {};

  constructor(out: Writable, input: Readable) {
    this.#out = out;
    let rest = "";
    input.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\0");
      rest = parts.pop()!;
      for (const part of parts) this.#take(JSON.parse(part) as Message);
    });
    out.on("error", () => {});
  }

  /** @throws {Error} what the browser says against it. */
  send(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = ++this.#last;
    this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  #take(message: Message): void {
    if (message.id === undefined) {
      this.onEvent(message.method ?? "", message.params ?? {});
      return;
    }
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }
}

/** A node of the accessibility tree. */
export interface Accessible {
  readonly role: string;
  readonly name: string;
}

export class Browser {
  readonly #pipe: Pipe;
  readonly #session: string;
  /** What should not be: console errors, exceptions, violations of the policy. */
  readonly complaints: string[] = [];
  /** Every address that was asked for. */
  readonly requests: string[] = [];

  constructor(pipe: Pipe, session: string) {
    this.#pipe = pipe;
    this.#session = session;
    pipe.onEvent = (method, params) => this.#note(method, params);
  }

  send(method: string, params: Json = {}): Promise<Json> {
    return this.#pipe.send(method, params, this.#session);
  }

  async open(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until("the page", "document.readyState === 'complete'");
  }

  /** The value of an expression in the page. @throws {Error} what it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    const thrown = answer.exceptionDetails as { readonly exception?: { readonly description?: string } } | undefined;
    if (thrown !== undefined) throw new Error(`${expression}: ${thrown.exception?.description}`);
    return (answer.result as { readonly value: T }).value;
  }

  /** Waits until an expression holds. */
  async until(what: string, expression: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (Date.now() > deadline) throw new Error(`did not come: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async press(key: string, options: { readonly code?: number; readonly text?: string; readonly shift?: boolean } = {}) {
    const common = {
      key,
      code: key,
      windowsVirtualKeyCode: options.code ?? 0,
      modifiers: options.shift === true ? 8 : 0,
      ...(options.text === undefined ? {} : { text: options.text }),
    };
    await this.send("Input.dispatchKeyEvent", {
      type: options.text === undefined ? "rawKeyDown" : "keyDown",
      ...common,
    });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...common });
  }

  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  async resize(width: number, height: number): Promise<void> {
    const mobile = width < 600;
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
  }

  async colourScheme(value: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  /** A PNG file of the window, or of the whole page. */
  async screenshot(isWhole = false): Promise<Buffer> {
    const answer = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: isWhole });
    return Buffer.from(answer.data as string, "base64");
  }

  async accessibles(): Promise<Accessible[]> {
    const { nodes } = await this.send("Accessibility.getFullAXTree");
    type Text = { readonly value?: string };
    return (nodes as readonly { readonly ignored: boolean; readonly role?: Text; readonly name?: Text }[])
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: role?.value ?? "", name: name?.value ?? "" }));
  }

  #note(method: string, params: Json): void {
    if (method === "Runtime.exceptionThrown") this.complaints.push(JSON.stringify(params.exceptionDetails));
    if (method === "Network.requestWillBeSent") this.requests.push((params.request as { readonly url: string }).url);
    if (method === "Audits.issueAdded") this.complaints.push(JSON.stringify(params.issue));
    if (method === "Log.entryAdded") {
      const { level, text, url } = params.entry as Readonly<Record<string, string>>;
      if (level === "error" || level === "warning") this.complaints.push(`${text} ${url ?? ""}`);
    }
    if (method === "Runtime.consoleAPICalled") this.complaints.push(JSON.stringify(params.args));
  }
}

/** Starts a browser with one empty page; it ends with the scope. */
export async function startBrowser(scope: Scope): Promise<Browser> {
  const home = temporaryDirectory(scope);
  const child = spawn("chromium", [...FLAGS, `--user-data-dir=${home}/profile`, "about:blank"], {
    env: { ...process.env, HOME: home },
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const pipe = new Pipe(child.stdio[3] as Writable, child.stdio[4] as Readable);
  scope.after(async () => {
    const killer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    pipe.send("Browser.close").catch(() => {});
    await ended;
    clearTimeout(killer);
  });
  const targetId = await until("Chromium's first page", async () => {
    const { targetInfos } = await pipe.send("Target.getTargets");
    type Target = { readonly type: string; readonly targetId: string };
    return (targetInfos as readonly Target[]).find(({ type }) => type === "page")?.targetId;
  });
  const { sessionId } = await pipe.send("Target.attachToTarget", { targetId, flatten: true });
  const browser = new Browser(pipe, sessionId as string);
  for (const domain of ["Page", "Runtime", "Network", "Log", "Accessibility", "Audits"])
    await browser.send(`${domain}.enable`);
  return browser;
}
