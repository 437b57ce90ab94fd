/**
 * Questions to workers that are not answered yet.
 *
 * Owns: which answer belongs to which question, and that nobody waits for a worker that has ended. It must not know what is
 * asked.
 */

import type { ToWorker } from "./protocol.ts";
import type { AnswerTo, WorkerAnswers, WorkerQuestion } from "./worker_question.ts";

/**
 * Asks the threads that carry connections.
 * @param only the number of the one to be asked; absent: all of them.
 * @returns each one's answer, with its number.
 */
export type Asked = <Question extends WorkerQuestion>(
  question: Question,
  only?: number,
) => Promise<readonly ThreadAnswer<AnswerTo<Question>>[]>;

export interface ThreadAnswer<Answer> {
  /** From 0. */
  readonly worker: number;
  readonly answer: Answer;
}

/** A worker that can be asked, once it has served. */
interface Askable {
  readonly index: number;
  readonly hasServed: boolean;
  readonly thread: { post(message: ToWorker): void } | undefined;
}

interface Waiting {
  readonly worker: number;
  /** Undefined: it has ended. */
  settle(answer: WorkerAnswers[WorkerQuestion["kind"]] | undefined): void;
}

export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** Who ends before it has answered is left out. @param only the number of the one to be asked. */
  async ask<Question extends WorkerQuestion>(
    workers: readonly Askable[],
    question: Question,
    only: number | undefined,
  ): Promise<readonly ThreadAnswer<AnswerTo<Question>>[]> {
    const asked = workers.filter(({ index, hasServed }) => hasServed && (only === undefined || only === index));
    const answers = await Promise.all(asked.map((worker) => this.#askOne(worker, question)));
    return answers.filter((answer) => answer !== undefined);
  }

  answered(id: number, answer: WorkerAnswers[WorkerQuestion["kind"]]): void {
    this.#waiting.get(id)?.settle(answer);
    this.#waiting.delete(id);
  }

  /** A worker has ended. */
  gone(worker: number): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.worker !== worker) continue;
      this.#waiting.delete(id);
      waiting.settle(undefined);
    }
  }

  #askOne<Question extends WorkerQuestion>(
    { index, thread }: Askable,
    question: Question,
  ): Promise<ThreadAnswer<AnswerTo<Question>> | undefined> {
    return new Promise((resolve) => {
      if (thread === undefined) {
        resolve(undefined);
        return;
      }
      const id = ++this.#last;
      const settle: Waiting["settle"] = (answer) =>
        resolve(answer === undefined ? undefined : { worker: index, answer: answer as AnswerTo<Question> });
      this.#waiting.set(id, { worker: index, settle });
      thread.post({ kind: "ask", id, question });
    });
  }
}
