/**
 * Many checks, each once, some of them at a time.
 */

import { Check, type CheckParts, type CheckResult } from "./check.ts";
import type { CheckPlan } from "./check_plan.ts";

/** Checks at a time. */
const ABREAST = 32;

/** The results in the order of the plans. */
export async function checkAll(plans: readonly CheckPlan[], parts: CheckParts): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  await abreast([...plans.entries()], ABREAST, async ([index, plan]) => {
    results[index] = await new Promise<CheckResult>((done) => new Check(plan, parts, done));
  });
  return results;
}

/** Does `task` for each of `items`, `most` of them at a time. */
export async function abreast<Item>(
  items: readonly Item[],
  most: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: most }, lane));
}
