// SPDX-License-Identifier: Apache-2.0
// What the interrupt framework asks of a GICv3, register by register as Linux 6.1's irq-gic-v3.c does.

import { IRQ_TYPE, LinuxError } from '@irqkit/core';
import type { HostLog, IrqChip, IrqData } from '@irqkit/core';
import { ICC_EOIR1_EL1 } from '../regs.js';
import type { GicState } from './gic-state.js';
import { BANKS, frameOf, isPrivate, isSgi, offsetOf } from './interrupt-registers.js';
import { waitForRedistributor } from './init-cpu.js';
import { route, waitForDistributor } from './init-distributor.js';
import { IpiSender } from './ipi-sender.js';

/** LPIs have no registers here: their ITS masks and moves them, and only their end comes to this chip. */
export function gicChip(gic: GicState, log: HostLog): IrqChip {
  const { sysregs, mpidr } = gic;
  const ipis = new IpiSender(gic, log);
  /** An affinity change allocates nothing. */
  const singleCpu = mpidr.map((_, cpu) => Object.freeze([cpu]));
  const poke = (hwirq: number, bank: typeof BANKS.ENABLE | typeof BANKS.DISABLE | typeof BANKS.PEND): void =>
    frameOf(gic, hwirq).write(offsetOf(bank, hwirq, 32, 4), (1 << (hwirq & 31)) >>> 0, 4);
  const isEnabled = (hwirq: number): boolean =>
    ((frameOf(gic, hwirq).read(offsetOf(BANKS.ENABLE, hwirq, 32, 4), 4) >>> (hwirq & 31)) & 1) === 1;
  const mask = (hwirq: number): void => {
    poke(hwirq, BANKS.DISABLE);
    if (isPrivate(hwirq)) waitForRedistributor(gic, gic.frames[gic.currentCpu()]);
    else waitForDistributor(gic);
  };

  return {
    name: 'GICv3',
    mask: ({ hwirq }) => mask(hwirq),
    unmask: ({ hwirq }) => poke(hwirq, BANKS.ENABLE),
    eoi: ({ hwirq }) => sysregs.write(ICC_EOIR1_EL1.sysreg, hwirq),
    setType: (data, type) => setType(gic, log, data, type),
    setAffinity(data, cpus) {
      const cpu = cpus.find(gic.isOnline);
      if (cpu === undefined || isPrivate(data.hwirq))
        throw new LinuxError('EINVAL', `${gic.path}: INTID ${data.hwirq} cannot go to CPU ${cpus.join(',')}`);
      const enabled = isEnabled(data.hwirq);
      if (enabled) mask(data.hwirq);
      route(gic.gicd, offsetOf(BANKS.ROUTE, data.hwirq, 1, 8), mpidr[cpu]);
      if (enabled) poke(data.hwirq, BANKS.ENABLE);
      data.common.effectiveAffinity = singleCpu[cpu];
    },
    retrigger: ({ hwirq }) => poke(hwirq, BANKS.PEND),
    ipiSend: ({ hwirq }, cpus) => ipis.send(hwirq, cpus),
  };
}

/** @linux gic_set_type, gic_configure_irq */
function setType(gic: GicState, log: HostLog, { hwirq }: IrqData, type: number): void {
  const level = type === IRQ_TYPE.LEVEL_HIGH;
  const edge = type === IRQ_TYPE.EDGE_RISING;
  if (isSgi(hwirq) ? !edge : !isPrivate(hwirq) && !level && !edge)
    throw new LinuxError('EINVAL', `${gic.path}: INTID ${hwirq} cannot have type ${type}`);
  if (isSgi(hwirq)) return;

  const frame = frameOf(gic, hwirq);
  const offset = offsetOf(BANKS.CONFIG, hwirq, 16, 4);
  const bit = (2 << ((hwirq & 15) * 2)) >>> 0;
  const before = frame.read(offset, 4);
  let after = before;
  if (type & (IRQ_TYPE.LEVEL_HIGH | IRQ_TYPE.LEVEL_LOW)) after = (before & ~bit) >>> 0;
  else if (type & IRQ_TYPE.EDGE_BOTH) after = (before | bit) >>> 0;
  if (after === before) return;
  frame.write(offset, after, 4);
  if (frame.read(offset, 4) === after) return;
  if (!isPrivate(hwirq)) throw new LinuxError('EINVAL', `${gic.path}: INTID ${hwirq} does not take type ${type}`);
  log.warn(`${gic.path}: PPI INTID ${hwirq} is secure or misconfigured`);
}
