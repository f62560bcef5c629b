import { createContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";

/** The time as the window shows it. It ticks only while something on the screen reads it. */
export class Clock {
  readonly #subscribe: () => void;
  readonly #read: () => number;

  /** `read` answers Unix time in ms; `every` is the pause between two ticks in ms. */
  constructor(read: () => number = Date.now, every = 1000) {
    this.#read = read;
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, every);
      return () => clearInterval(timer);
    });
  }

  /** Unix time in ms, once. */
  read(): number {
    return this.#read();
  }

  /** Unix time in ms; whoever reads it in a template or an effect is told of each tick. */
  get now(): number {
    this.#subscribe();
    return this.#read();
  }
}

export const [getClock, setClock] = createContext<Clock>();
