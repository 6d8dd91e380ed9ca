// SPDX-License-Identifier: Apache-2.0
// A counter that an interrupt adds to and its owner reads. Source: eventfd(2), the behaviour of Linux 6.1 fs/eventfd.c.

import { LinuxError } from '@irqkit/core';
import type { OpenFile } from './open-file.js';

/** With EFD_NONBLOCK and without EFD_SEMAPHORE. */
export class EventFd implements OpenFile {
  readonly path = 'eventfd';
  readonly #listeners = new Set<(eventFd: EventFd) => void>();
  #count: number;

  constructor(initial = 0) {
    this.#count = initial;
  }

  /** What the next read takes. */
  get count(): number {
    return this.#count;
  }

  /** Adds to the counter and calls who listens. @linux eventfd_signal */
  signal(by = 1): void {
    this.#count += by;
    for (const listener of this.#listeners) listener(this);
  }

  /** Takes the counter, as a read of 8 bytes does. @throws LinuxError EAGAIN where it is 0 */
  take(): number {
    if (this.#count === 0) throw new LinuxError('EAGAIN', `${this.path}: the counter is 0`);
    const taken = this.#count;
    this.#count = 0;
    return taken;
  }

  /** Calls back after each signal, as a poller is woken; returns the removal. */
  onSignal(listener: (eventFd: EventFd) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  release(): void {
    this.#listeners.clear();
  }
}
