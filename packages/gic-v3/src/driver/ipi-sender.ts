// SPDX-License-Identifier: Apache-2.0
// SGIs by ICC_SGI1R_EL1, one write for all processors of a cluster that follow one another. @linux gic_ipi_send_mask

import { hex } from '@irqkit/bits';
import type { HostLog } from '@irqkit/core';
import { GICD_TYPER, ICC_CTLR_EL1, ICC_SGI1R_EL1 } from '../regs.js';
import type { GicState } from './gic-state.js';

export class IpiSender {
  readonly #gic: GicState;
  /** Each processor's register value without INTID and target list, low then high word, and its bit in the list. */
  readonly #clusters: Uint32Array;
  readonly #bits: Uint16Array;

  /** Warns of processors that no SGI can name. @linux gic_cpu_sys_reg_init */
  constructor(gic: GicState, log: HostLog) {
    this.#gic = gic;
    this.#clusters = new Uint32Array(gic.mpidr.length * 2);
    this.#bits = new Uint16Array(gic.mpidr.length);
    const hasRangeSelector =
      GICD_TYPER.RSS(gic.gicd.read(GICD_TYPER.offset, 4)) === 1 &&
      ICC_CTLR_EL1.RSS(gic.sysregs.read(ICC_CTLR_EL1.sysreg)) === 1;
    gic.mpidr.forEach((affinity, cpu) => {
      const aff0 = affinity % 0x100;
      const words = this.#clusters.subarray(cpu * 2, cpu * 2 + 2);
      ICC_SGI1R_EL1.Aff1.put(words, Math.floor(affinity / 0x100));
      ICC_SGI1R_EL1.Aff2.put(words, Math.floor(affinity / 0x1_0000));
      ICC_SGI1R_EL1.Aff3.put(words, Math.floor(affinity / 2 ** 32));
      ICC_SGI1R_EL1.RS.put(words, aff0 >>> 4);
      this.#bits[cpu] = 1 << (aff0 & 15);
      if (aff0 >= 16 && !hasRangeSelector)
        log.warn(`${gic.path}: CPU ${cpu} (${hex(affinity)}) cannot be sent SGIs without a range selector`);
    });
  }

  send(sgi: number, cpus: readonly number[]): void {
    const clusters = this.#clusters;
    for (let i = 0; i < cpus.length;) {
      const first = cpus[i] * 2;
      let list = 0;
      for (; i < cpus.length; i++) {
        const own = cpus[i] * 2;
        if (clusters[own] !== clusters[first] || clusters[own + 1] !== clusters[first + 1]) break;
        list |= this.#bits[cpus[i]];
      }
      const lo = (clusters[first] | (sgi << ICC_SGI1R_EL1.INTID.lo) | list) >>> 0;
      this.#gic.sysregs.write(ICC_SGI1R_EL1.sysreg, lo, clusters[first + 1]);
    }
  }
}
