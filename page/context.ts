/**
 * What the parts of the page have in common: the proxy they ask, and how something is done to it.
 *
 * Owns: actions, from the question to the word of how it went.
 */

import type { ActionAnswer } from "../src/admin/api.ts";
import type { AdminClient } from "./admin_client.ts";
import { type Confirmation, confirmed } from "./dialogs.ts";
import { byId, setText, type Tone } from "./element.ts";
import { foreign } from "./text.ts";

export interface Context {
  readonly client: AdminClient;
  /** Looks at everything in sight again, now. */
  readonly hurry: () => void;
  /** Shows the connections, live and ended, of this name. */
  readonly showName: (name: string) => void;
}

/** Says how an action went, until the next one. */
export function say(text: string, tone: Tone): void {
  const notice = byId("notice");
  notice.hidden = false;
  notice.className = `notice ${tone}`;
  setText(notice, text);
}

export function reasonOf(error: unknown): string {
  return foreign(error instanceof Error ? error.message : String(error));
}

/** Asks whether to, does it, and says what was done. */
export async function act(context: Context, question: Confirmation, path: string, body: unknown): Promise<void> {
  if (!(await confirmed(question))) return;
  try {
    const { done } = await context.client.post<ActionAnswer>(path, body);
    say(foreign(done), "good");
  } catch (error) {
    say(reasonOf(error), "bad");
  }
  context.hurry();
}
