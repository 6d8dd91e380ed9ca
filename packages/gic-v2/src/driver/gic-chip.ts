// SPDX-License-Identifier: Apache-2.0
// What the interrupt framework asks of a GICv2, register by register as Linux 6.1's irq-gic.c does.

import { IRQ_TYPE, LinuxError } from '@irqkit/core';
import type { IrqChip, IrqData, MmioRegion } from '@irqkit/core';
import {
  FIRST_PPI,
  FIRST_SPI,
  GICC_EOIR,
  GICD_ICENABLER,
  GICD_ICFGR,
  GICD_ISENABLER,
  GICD_ISPENDR,
  GICD_ITARGETSR,
  GICD_SGIR,
  SGI_FILTER,
} from '../regs.js';

/** What the chip shares with the driver that made it. */
export interface GicState {
  /** The node's path. */
  readonly path: string;
  readonly gicd: MmioRegion;
  readonly gicc: MmioRegion;
  /** Each CPU's bit in GICD_ITARGETSR, by the host's number. */
  readonly cpuMasks: Uint8Array;
  /** The last SGI each CPU acknowledged, source CPU included: its end must say the same. */
  readonly sgiIntid: Uint16Array;
  /** The CPU that runs now. */
  currentCpu(): number;
}

export function gicChip(gic: GicState): IrqChip {
  const { gicd, gicc, cpuMasks, sgiIntid } = gic;
  const poke = (hwirq: number, bank: { readonly offset: number }): void =>
    gicd.write(bank.offset + (hwirq >>> 5) * 4, (1 << (hwirq & 31)) >>> 0, 4);

  return {
    name: 'GIC-0',
    mask: (data) => poke(data.hwirq, GICD_ICENABLER),
    unmask: (data) => poke(data.hwirq, GICD_ISENABLER),
    eoi({ hwirq }) {
      gicc.write(GICC_EOIR.offset, hwirq < FIRST_PPI ? sgiIntid[gic.currentCpu()] : hwirq, 4);
    },
    setType: (data, type) => setType(gic, data, type),
    setAffinity(data, cpus) {
      const cpu = cpus[0];
      if (cpu === undefined || !(cpu < cpuMasks.length))
        throw new LinuxError('EINVAL', `${gic.path}: INTID ${data.hwirq} cannot go to CPU ${cpu}`);
      gicd.write(GICD_ITARGETSR.offset + data.hwirq, cpuMasks[cpu], 1);
      data.common.effectiveAffinity = singleCpu[cpu];
    },
    retrigger: (data) => poke(data.hwirq, GICD_ISPENDR),
    ipiSend({ hwirq }, cpus) {
      // A uniprocessor's target bytes are RAZ: its only IPI is one to itself.
      const self = cpuMasks.length === 1;
      let value = GICD_SGIR.TargetListFilter.set(hwirq, self ? SGI_FILTER.SELF : SGI_FILTER.LIST);
      let targets = 0;
      for (const cpu of cpus) targets |= cpuMasks[cpu];
      if (!self) value = GICD_SGIR.CPUTargetList.set(value, targets);
      gicd.write(GICD_SGIR.offset, value, 4);
    },
  };
}

/** An affinity change allocates nothing: one frozen list for each of eight CPUs. */
const singleCpu: readonly (readonly number[])[] = [[0], [1], [2], [3], [4], [5], [6], [7]];

/** @linux gic_set_type, gic_configure_irq */
function setType({ path, gicd }: GicState, { hwirq }: IrqData, type: number): void {
  const unfit =
    hwirq < FIRST_PPI
      ? type !== IRQ_TYPE.EDGE_RISING
      : hwirq >= FIRST_SPI && type !== IRQ_TYPE.LEVEL_HIGH && type !== IRQ_TYPE.EDGE_RISING;
  if (unfit) throw new LinuxError('EINVAL', `${path}: INTID ${hwirq} cannot have type ${type}`);
  if (hwirq < FIRST_PPI) return;

  const offset = GICD_ICFGR.offset + (hwirq >>> 4) * 4;
  const bit = (2 << ((hwirq & 15) * 2)) >>> 0;
  const before = gicd.read(offset, 4);
  let after = before;
  if (type & (IRQ_TYPE.LEVEL_HIGH | IRQ_TYPE.LEVEL_LOW)) after = (before & ~bit) >>> 0;
  else if (type & IRQ_TYPE.EDGE_BOTH) after = (before | bit) >>> 0;
  if (after === before) return;
  gicd.write(offset, after, 4);
  // A PPI's type may be fixed in silicon, which Linux only warns of.
  if (gicd.read(offset, 4) !== after && hwirq >= FIRST_SPI)
    throw new LinuxError('EINVAL', `${path}: INTID ${hwirq} does not take type ${type}`);
}
