/** `certless run`: the proxy itself. */

import { formatEndpoint } from "../address.ts";
import type { Config, ListenerProtocol } from "../config/config.ts";
import { ListenError, type RunningProxy, StartError, startProxy } from "../mod.ts";
import type { Inheritance } from "../service/inherited_sockets.ts";
import type { ServiceManager } from "../service/service_manager.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT, type SelectedAdapter } from "./command.ts";
import { type LoadedConfig, load } from "./load.ts";
import { reloadLines } from "./reload_text.ts";
import { openService } from "./service.ts";
import { destinationText, plural } from "./summary.ts";

export const run: Command = {
  summary: "run the proxy",
  usage: "[FILE] [--adapter NAME] [--replace PID]",
  help: `Reads FILE (certless.yaml if none is named, - for standard input), opens the listeners and serves
until it is stopped. Startup lines go to standard error, the access log to where FILE says.

Signals: SIGTERM and SIGINT stop accepting and let connections finish for timeouts.drain, a second
one ends at once. SIGHUP reads FILE again and puts it in force; where it has faults, they are told
and the former one stays. SIGHUP and SIGUSR1 open the access log's file anew.

With --replace, the listening sockets of that process are taken over; once this one serves, that one
is sent SIGTERM, and drains. Under systemd, sockets that it passes (LISTEN_FDS) are used, and it is
told of what happens (NOTIFY_SOCKET).`,
  options: {
    adapter: {
      type: "string",
      value: "NAME",
      help: "sockets to use: auto, linux, node, deno or bun (default: the configuration's)",
    },
    replace: { type: "string", value: "PID", help: "take the ports of this running certless over, and let it drain" },
  },
  maxPositionals: 1,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { host } = context;
    const loaded = await load(context, positionals[0]);
    const { config } = loaded;
    const selected = await select(context, String(values.adapter ?? config.adapter));
    const service = await openService(context, selected);
    const replaced = values.replace === undefined ? undefined : String(values.replace);
    const inheritance = await service.inherit(config, replaced);
    const wishes: Wishes = { drain() {} };
    const proxy = await start(context, loaded, selected, { inheritance, manager: service.manager, wishes });
    // Signals first: who reads that we listen may end us the next moment.
    const ended = serve(context, proxy, service.manager, wishes);
    host.stderr.write(startupLines(context, config, selected, proxy));
    service.started(proxy, replaced);
    return ended;
  },
};

/** What may be asked of the program by the admin interface. */
interface Wishes {
  drain(): void;
}

/** What a proxy is started with besides its configuration. */
interface Setting {
  readonly inheritance: Inheritance | undefined;
  readonly manager: ServiceManager;
  readonly wishes: Wishes;
}

async function select(context: CliContext, name: string): Promise<SelectedAdapter> {
  try {
    return await context.selectAdapter(name);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}

async function start(
  { host }: CliContext,
  loaded: LoadedConfig,
  { adapter, workerAdapter }: SelectedAdapter,
  { inheritance, manager, wishes }: Setting,
): Promise<RunningProxy> {
  try {
    return await startProxy(loaded.config, loaded, {
      adapter,
      workerAdapter,
      host,
      inheritance,
      drain: () => wishes.drain(),
      reloaded: (outcome) => {
        host.stderr.write(
          reloadLines(outcome)
            .map((line) => `certless: ${line}\n`)
            .join(""),
        );
        manager.reloaded(outcome.ok ? "a reload took effect" : "a reload was refused, the former configuration stays");
      },
    });
  } catch (error) {
    if (error instanceof ListenError || error instanceof StartError) throw new CliError(error.message);
    throw error;
  }
}

function startupLines({ host }: CliContext, config: Config, selected: SelectedAdapter, proxy: RunningProxy): string {
  const adapter = `adapter ${(selected.workerAdapter ?? selected.adapter).name} (${selected.why})`;
  const who = proxy.account === undefined ? "" : `, as ${proxy.account}`;
  const title = `certless ${host.version} on ${host.runtime}, ${adapter}, ${plural(proxy.workers, "worker")}${who}`;
  const lines: string[] = [];
  config.listeners.forEach(({ protocol, kinds, routes, proxyProtocol, redirectToHttps }, index) => {
    const notes = [
      PROTOCOL_WORDS[protocol],
      plural(routes.size, "route"),
      `default ${destinationText(routes.default)}`,
    ];
    if (kinds !== undefined) notes.push(`ssh ${destinationText(kinds.ssh)}`, `other ${destinationText(kinds.other)}`);
    if (kinds?.silent !== undefined) notes.push(`silent ${destinationText(kinds.silent)}`);
    if (proxyProtocol) notes.push("PROXY header required");
    if (redirectToHttps !== undefined) notes.push("redirects to https");
    lines.push(`listening on ${formatEndpoint(proxy.endpoints[index]!)}: ${notes.join(", ")}`);
  });
  if (proxy.admin !== undefined) lines.push(`admin interface: ${formatEndpoint(proxy.admin)}`);
  else if (config.admin !== undefined) {
    lines.push(
      `admin interface: ${formatEndpoint(config.admin.endpoint)}, once the process that is replaced has ended`,
    );
  }
  const access = config.log.access;
  lines.push(access === undefined ? "access log: off" : `access log: ${access.path}`);
  return `${[title, ...lines.map((line) => `certless: ${line}`)].join("\n")}\n`;
}

const PROTOCOL_WORDS: Readonly<Record<ListenerProtocol, string>> = {
  tls: "TLS by server name",
  http: "HTTP by Host",
  postgres: "PostgreSQL by server name",
  any: "TLS, HTTP, PostgreSQL by name, others by kind",
};

/** Until a signal ends it. */
function serve({ host }: CliContext, proxy: RunningProxy, manager: ServiceManager, wishes: Wishes): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: string): void => {
      if (stopping) {
        host.stderr.write(`certless: ${signal} again: ending now\n`);
        proxy.cut();
        return;
      }
      stopping = true;
      const draining = (open: number): void => {
        const most = proxy.config.timeouts.drain / 1000;
        const wait = open === 0 ? "" : `, waiting up to ${most} s for ${plural(open, "connection")}`;
        host.stderr.write(`certless: ${signal}: no longer accepting${wait}\n`);
        manager.stopping(`no longer accepting${wait}`);
      };
      void proxy.stop(draining).then(() => {
        host.stderr.write("certless: stopped\n");
        manager.close();
        for (const cancel of cancels) cancel();
        resolve(EXIT.ok);
      });
    };
    wishes.drain = () => stop("admin interface");
    const cancels = [
      host.onSignal("SIGINT", () => stop("SIGINT")),
      host.onSignal("SIGTERM", () => stop("SIGTERM")),
      host.onSignal("SIGUSR1", () => proxy.reopenLog()),
      host.onSignal("SIGHUP", () => {
        proxy.reopenLog();
        manager.reloading();
        void proxy.reload();
      }),
    ];
  });
}
