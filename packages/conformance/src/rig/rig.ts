// SPDX-License-Identifier: Apache-2.0
// One machine under examination: a board of models, and the host that is probed on it as often as a check wants.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost, Devres, LinuxError } from '@irqkit/core';
import type { FirmwareNode, Host, IommuSettings, Plugin } from '@irqkit/core';
import { expectSame } from '../expect/expect.js';
import type { Machine, Setup } from '../machine.js';
import { Faults } from './faults.js';
import { Watch } from './watch.js';
import { WatchedBus } from './watched-bus.js';
import { withWatchNode } from './watch-node.js';

export class Rig {
  readonly machine: Machine;
  /** The node under test. */
  readonly node: FirmwareNode;
  readonly board: Board;
  readonly bus: WatchedBus;
  readonly faults = new Faults();
  readonly #plugins: readonly Plugin[];
  readonly #opened = new Devres();
  #watch = new Watch(this.faults);
  #host: Host | undefined;

  /** @throws LinuxError ENODEV where firmware has no such node; as createBoard */
  constructor(plugins: readonly Plugin[], setup: Setup) {
    this.machine = setup();
    const node = this.machine.firmware.find(this.machine.path);
    if (!node) throw new LinuxError('ENODEV', `${this.machine.path}: firmware has no such node`);
    this.node = node;
    this.#plugins = plugins;
    const { firmware, silicon, plugged } = this.machine;
    this.board = createBoard({ firmware, plugins, silicon, plugged });
    this.bus = new WatchedBus(this.board.bus, this.faults);
  }

  /** The host that stands. */
  get host(): Host {
    if (!this.#host) throw new LinuxError('ENODEV', `${this.machine.path}: no host is probed`);
    return this.#host;
  }

  /** `iommu`: how devices behind IOMMUs are taken in. @throws as createHost */
  probe(iommu?: IommuSettings): Host {
    this.#watch = new Watch(this.faults);
    this.#host = createHost({
      firmware: withWatchNode(this.machine.firmware),
      plugins: [...this.#plugins, this.#watch.plugin],
      bus: this.bus,
      iommu,
    });
    return this.#host;
  }

  /** Records how to close what a check has opened on the host; run by `close`, last opened first. */
  onClose(release: () => void): void {
    this.#opened.add(release);
  }

  /** Closes what is open, in reverse. @throws AggregateError */
  close(): void {
    this.#opened.releaseAll();
  }

  /** Closes what is open and tears the host down. @throws AggregateError */
  teardown(): void {
    this.close();
    this.#host?.teardown();
    this.#host = undefined;
  }

  /** One line for each resource that software holds now. */
  get taken(): readonly string[] {
    return [...this.bus.taken, ...this.#watch.taken].sort();
  }

  /** @throws ConformanceError where software holds more or less than `before` */
  expectTaken(before: readonly string[], when: string): void {
    const now = this.taken;
    const [left, lost] = [without(now, before), without(before, now)];
    const found = [...left.map((line) => `${line} is left behind`), ...lost.map((line) => `${line} is gone`)];
    expectSame(found, [], when);
  }
}

/** Runs `work` on new rigs and disposes of them. What disposing throws is the business of the check on teardown alone. */
export function withRigs(
  count: number,
  plugins: readonly Plugin[],
  setup: Setup,
  work: (...rigs: Rig[]) => void,
): void {
  const rigs: Rig[] = [];
  try {
    for (let i = 0; i < count; i++) rigs.push(new Rig(plugins, setup));
    work(...rigs);
  } finally {
    for (const rig of rigs.reverse()) quietly(() => rig.teardown());
    for (const rig of rigs) quietly(() => rig.board.dispose());
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

/** The lines of `a` beyond those of `b`, repetitions counted. */
function without(a: readonly string[], b: readonly string[]): string[] {
  const left = [...b];
  return a.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
