/**
 * Asks again and again, but only what somebody looks at.
 *
 * Owns: when to ask. Nothing is asked while the page is hidden, or while the part it is for is out of sight; a question
 * is never asked while the last one is open.
 */

export interface Question {
  /** Milliseconds between two of them. */
  readonly every: number;
  /** The part it is for; undefined: asked whatever is in sight. */
  readonly part: Element | undefined;
  readonly ask: () => Promise<void>;
}

interface Asked extends Question {
  due: number;
  isOpen: boolean;
}

const TICK = 250;

export class Poll {
  readonly #asked: Asked[] = [];
  readonly #inSight = new Set<Element>();
  readonly #observer = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });

  add(question: Question): void {
    this.#asked.push({ ...question, due: 0, isOpen: false });
    if (question.part !== undefined) this.#observer.observe(question.part);
  }

  start(): void {
    setInterval(() => this.#tick(), TICK);
    document.addEventListener("visibilitychange", () => this.#tick());
    this.#tick();
  }

  /** Asks for everything that is in sight at once. */
  hurry(): void {
    for (const asked of this.#asked) asked.due = 0;
    this.#tick();
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#inSight.add(target);
      else this.#inSight.delete(target);
    }
    this.#tick();
  }

  #tick(): void {
    if (document.visibilityState !== "visible") return;
    for (const asked of this.#asked) {
      const isSeen = asked.part === undefined || this.#inSight.has(asked.part);
      if (isSeen && !asked.isOpen && performance.now() >= asked.due) void this.#ask(asked);
    }
  }

  async #ask(asked: Asked): Promise<void> {
    asked.isOpen = true;
    try {
      await asked.ask();
    } finally {
      asked.isOpen = false;
      asked.due = performance.now() + asked.every;
    }
  }
}
