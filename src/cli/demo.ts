/** `certless demo`: everything on one machine, with real TLS, in a second. */

import type { Endpoint } from "../address.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { textLine } from "../log/access_log.ts";
import { createProxy, type RunningProxy } from "../mod.ts";
import { REASONS } from "../reason.ts";
import {
  type CliContext,
  type Command,
  type CommandArgs,
  type DemoAnswer,
  type DemoOrigin,
  type DemoParts,
  EXIT,
} from "./command.ts";
import { type Style, styleFor } from "./style.ts";

const SHOP = "shop.example.test";
const API = "api.example.test";
const UNKNOWN = "unknown.example.test";

export const demo: Command = {
  summary: "two TLS servers, the proxy and real requests: no root, nothing to configure",
  usage: "[--keep]",
  help: `Starts two HTTPS servers with certificates made on the spot and the proxy in front of them, on free
ports of 127.0.0.1, then makes real HTTPS requests through it by two names and an unknown one, and
shows who answered, whose certificate the client verified, and what the access log says.`,
  options: { keep: { type: "boolean", help: "stay up afterwards, to try it with curl; Ctrl-C ends it" } },
  maxPositionals: 0,
  async run(context: CliContext, { values }: CommandArgs): Promise<number> {
    const parts = await context.loadDemo();
    const stage = await raise(context, parts);
    try {
      const style = styleFor(context.host, context.host.stdout);
      context.host.stdout.write(stageText(stage, context, style));
      let good = await ask(stage, context, style, 1, SHOP, "shop");
      good = (await ask(stage, context, style, 2, API, "api")) && good;
      good = (await ask(stage, context, style, 3, UNKNOWN, undefined)) && good;
      context.host.stdout.write(byHand(stage, values.keep === true, style));
      if (values.keep === true) await interrupted(context);
      return good ? EXIT.ok : EXIT.no;
    } finally {
      await stage.proxy.stop();
      await Promise.all(stage.origins.map((origin) => origin.close()));
      await parts.close();
    }
  },
};

interface Stage {
  readonly parts: DemoParts;
  readonly origins: readonly DemoOrigin[];
  readonly proxy: RunningProxy;
  readonly port: number;
  readonly adapter: string;
  /** Ended connections that no request has claimed yet, and who waits for the next. */
  readonly records: ConnectionRecord[];
  onRecord: () => void;
}

async function raise(context: CliContext, parts: DemoParts): Promise<Stage> {
  const { adapter, workerAdapter } = await context.selectAdapter("auto");
  const origins = [await parts.startOrigin("shop", SHOP), await parts.startOrigin("api", API)];
  const records: ConnectionRecord[] = [];
  const proxy = await createProxy(
    {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [SHOP]: `127.0.0.1:${origins[0]!.port}`, [API]: `127.0.0.1:${origins[1]!.port}` },
      timeouts: { drain: "1s" },
      log: { access: false },
    },
    {
      adapter,
      workerAdapter,
      host: context.host,
      finished: (record) => {
        records.push(record);
        stage.onRecord();
      },
    },
  );
  const port = tcpPort(proxy.endpoints[0]!);
  const stage: Stage = {
    parts,
    origins,
    proxy,
    port,
    adapter: (workerAdapter ?? adapter).name,
    records,
    onRecord: () => {},
  };
  return stage;
}

function tcpPort(endpoint: Endpoint): number {
  return endpoint.kind === "tcp" ? endpoint.port : 0;
}

function stageText(stage: Stage, { host }: CliContext, style: Style): string {
  const [shop, api] = stage.origins;
  return `${style.bold("certless demo")}: two TLS servers, the proxy, three requests ${style.dim(`(${host.runtime}, adapter ${stage.adapter})`)}

  server "shop"  127.0.0.1:${shop!.port}  has the certificate of ${SHOP}
  server "api"   127.0.0.1:${api!.port}  has the certificate of ${API}
  proxy          127.0.0.1:${stage.port}  has no certificate; it routes
                   ${SHOP} -> 127.0.0.1:${shop!.port}
                   ${API}  -> 127.0.0.1:${api!.port}
                   default -> reject
`;
}

/** One request, told; true if it went as it should. */
async function ask(
  stage: Stage,
  { host }: CliContext,
  style: Style,
  number: number,
  name: string,
  expected: string | undefined,
): Promise<boolean> {
  host.stdout.write(`\n${style.bold(`${number}. https://${name}/`)}\n`);
  const answer = await stage.parts.get(name, stage.port);
  const record = await nextRecord(stage);
  const rows = expected === undefined ? refusedRows(answer, record, style) : answeredRows(answer, style);
  for (const [label, text] of [...rows, ["log line", style.dim(textLine(record))] as const]) {
    host.stdout.write(`   ${label.padEnd(12)} ${text}\n`);
  }
  if (expected === undefined) return answer.error !== undefined && record.reason === "no_route";
  return answer.status === 200 && answer.origin === expected && record.reason === "ok";
}

function answeredRows({ status, origin, certificate, error }: DemoAnswer, style: Style): (readonly [string, string])[] {
  if (error !== undefined) return [["failed", style.red(error)]];
  return [
    ["answered by", `${style.green(`server "${origin}"`)}, status ${status}`],
    ["certificate", `${certificate!.subject}, issued by ${certificate!.issuer}; the client verified it end to end`],
  ];
}

function refusedRows({ error }: DemoAnswer, record: ConnectionRecord, style: Style): (readonly [string, string])[] {
  if (error === undefined) return [["failed", style.red("it was answered, and should not have been")]];
  return [
    ["refused", `${style.yellow(REASONS[record.reason])}; nothing was dialled`],
    ["client saw", error],
  ];
}

/** The record of the request just made: a connection ends a moment after its client has the answer. */
async function nextRecord(stage: Stage): Promise<ConnectionRecord> {
  while (stage.records.length === 0) {
    await new Promise<void>((resolve) => {
      stage.onRecord = resolve;
    });
  }
  return stage.records.shift()!;
}

function byHand(stage: Stage, keep: boolean, style: Style): string {
  const { port, parts } = stage;
  const curl = `curl --cacert ${parts.authorityPath} --resolve ${SHOP}:${port}:127.0.0.1 https://${SHOP}:${port}/`;
  if (keep) return `\n${style.bold("Try it by hand")} (Ctrl-C ends it):\n  ${curl}\n`;
  return `\n${style.bold("Try it by hand")} while \`certless demo --keep\` stays up; it prints a line like\n  ${curl}\n`;
}

function interrupted({ host }: CliContext): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) host.onSignal(signal, () => resolve());
  });
}
