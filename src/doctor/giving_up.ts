/**
 * A resolver that is not asked for ever: one that is silent would cost each of many names its whole patience.
 *
 * Owns: when it is given up. It must not know what is asked for.
 */

import type { DnsResolver } from "../host.ts";

/** Questions without an answer, with none that had one in between. */
export const MOST_SILENT = 16;
/** The answer to a question that was not asked any more. */
export const UNASKED = "EUNASKED";
const SILENCE: ReadonlySet<string> = new Set(["ETIMEOUT", "ETIMEDOUT"]);

export interface GivingUp {
  readonly resolver: DnsResolver;
  /** Questions that were not asked any more. */
  readonly unasked: number;
}

export function givingUp(asked: DnsResolver): GivingUp {
  let silent = 0;
  let unasked = 0;
  type Ask<Outcome> = (name: string, answered: (outcome: Outcome | { code: string; message: string }) => void) => void;
  const bounded =
    <Outcome extends object>(ask: Ask<Outcome>): Ask<Outcome> =>
    (name, answered) => {
      if (silent >= MOST_SILENT) {
        unasked++;
        answered({ code: UNASKED, message: "nobody has answered others" });
        return;
      }
      ask(name, (outcome) => {
        silent = "code" in outcome && SILENCE.has(String(outcome.code)) ? silent + 1 : 0;
        answered(outcome);
      });
    };
  return {
    resolver: {
      concurrency: asked.concurrency,
      resolve: bounded((name, answered) => asked.resolve(name, answered)),
      resolveService: bounded((name, answered) => asked.resolveService(name, answered)),
      resolveBindings: bounded((name, answered) => asked.resolveBindings(name, answered)),
      resolveByDns: bounded((name, answered) => asked.resolveByDns(name, answered)),
      close: () => asked.close(),
    },
    get unasked() {
      return unasked;
    },
  };
}
