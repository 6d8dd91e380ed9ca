// SPDX-License-Identifier: Apache-2.0
// Which CPU an affinity names, and which CPUs an SGI's cluster and target list do. Arm IHI 0069 section 2.2.3 and ICC_SGI1R_EL1

import { NOBODY } from './interrupts.js';

/** Aff0 values that one target list covers. */
const LIST_SIZE = 16;
const AFF3 = 2 ** 32;

export class Affinities {
  readonly #cpus = new Map<number, number>();
  readonly #lists = new Map<number, Int16Array>();

  /** `mpidr`: of each CPU, Aff3 at [39:32], Aff2 to Aff0 at [23:0]. */
  constructor(mpidr: readonly number[]) {
    mpidr.forEach((affinity, cpu) => {
      const aff3 = Math.floor(affinity / AFF3) % 0x100;
      const rest = affinity % 0x100_0000;
      const aff0 = rest % 0x100;
      this.#cpus.set(aff3 * AFF3 + rest, cpu);
      const key = listKey(aff3, rest >>> 8, aff0 >>> 4);
      const list = this.#lists.get(key) ?? new Int16Array(LIST_SIZE).fill(NOBODY);
      list[aff0 % LIST_SIZE] = cpu;
      this.#lists.set(key, list);
    });
  }

  /** The CPU of an affinity as GICD_IROUTER holds it, NOBODY where there is none. */
  cpuOf(aff3: number, aff2To0: number): number {
    return this.#cpus.get(aff3 * AFF3 + aff2To0) ?? NOBODY;
  }

  /** The CPUs that bits 0 to 15 of a target list name, NOBODY for each bit that names none; undefined where none does. */
  targets(aff3: number, aff2To1: number, rangeSelector: number): Int16Array | undefined {
    return this.#lists.get(listKey(aff3, aff2To1, rangeSelector));
  }
}

function listKey(aff3: number, aff2To1: number, rangeSelector: number): number {
  return (aff3 * 0x1_0000 + aff2To1) * LIST_SIZE + rangeSelector;
}
