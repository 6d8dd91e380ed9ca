// SPDX-License-Identifier: Apache-2.0
// What models said, the newest of it. Nothing is formatted until it is read.

import type { ModelLog } from '@irqkit/core';

const CAPACITY = 1024;

export interface LogEntry {
  /** `guest`: software broke a rule. `unimp`: the model, or the board, does not have it. */
  readonly kind: 'guest' | 'unimp';
  /** The path of the node whose model spoke; `/` for the board itself. */
  readonly path: string;
  readonly message: string;
}

export interface BoardLog {
  /** The newest 1024, oldest first. */
  readonly entries: readonly LogEntry[];
  /** How many there ever were. */
  readonly total: number;
}

type Argument = number | string;

class Entry implements LogEntry {
  constructor(
    readonly kind: LogEntry['kind'],
    readonly path: string,
    private readonly format: string,
    private readonly args: readonly Argument[],
  ) {}

  get message(): string {
    let next = 0;
    return this.format.replace(/%[dxs]/g, (conversion) => {
      const value = this.args[next++];
      return conversion === '%x' && typeof value === 'number' ? value.toString(16) : String(value);
    });
  }
}

export class RingLog implements BoardLog {
  readonly #ring: Entry[] = [];
  readonly #listener: ((entry: LogEntry) => void) | undefined;
  #total = 0;

  constructor(listener: ((entry: LogEntry) => void) | undefined) {
    this.#listener = listener;
  }

  get total(): number {
    return this.#total;
  }

  get entries(): readonly LogEntry[] {
    const oldest = this.#total % CAPACITY;
    return this.#total <= CAPACITY ? [...this.#ring] : [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
  }

  /** The log of one node's model. */
  of(path: string): ModelLog {
    return {
      guest: (format, ...args) => this.#add(new Entry('guest', path, format, args)),
      unimp: (format, ...args) => this.#add(new Entry('unimp', path, format, args)),
    };
  }

  #add(entry: Entry): void {
    this.#ring[this.#total % CAPACITY] = entry;
    this.#total++;
    this.#listener?.(entry);
  }
}
