// SPDX-License-Identifier: Apache-2.0
// Bringing the running processor's Redistributor and CPU interface up and down. Linux 6.1's order of accesses (irq-gic-v3.c
// gic_cpu_init, gic_cpu_sys_reg_init, gic_cpu_pm_notifier).

import { LinuxError } from '@irqkit/core';
import {
  FIRST_SPI,
  GICD_IGROUPR,
  GICD_IPRIORITYR,
  GICR_CTLR,
  GICR_WAKER,
  ICC_AP0R_EL1,
  ICC_AP1R_EL1,
  ICC_BPR1_EL1,
  ICC_CTLR_EL1,
  ICC_IGRPEN1_EL1,
  ICC_PMR_EL1,
  ICC_SRE_EL1,
} from '../regs.js';
import type { GicState } from './gic-state.js';
import type { PrivateFrames } from './find-redistributors.js';
import { DEFAULT_PRIORITIES, deactivateAndDisable } from './init-distributor.js';
import { waitFor } from './wait.js';

/** @linux DEFAULT_PMR_VALUE */
const PRIORITY_MASK = 0xf0;
const ALL = 0xffff_ffff;

/** @throws LinuxError ETIMEDOUT, ENODEV where the system registers cannot be enabled @linux gic_cpu_init */
export function initCpu(gic: GicState): void {
  const own = gic.frames[gic.currentCpu()];
  setAsleep(gic, own, 0);
  const nrPrivate = FIRST_SPI + gic.nrExtendedPpis;
  for (let i = 0; i < nrPrivate; i += 32) own.sgi.write(GICD_IGROUPR.offset + i / 8, ALL, 4);
  for (let i = 0; i < nrPrivate; i += 32) deactivateAndDisable(own.sgi, i);
  for (let i = 0; i < nrPrivate; i += 4) own.sgi.write(GICD_IPRIORITYR.offset + i, DEFAULT_PRIORITIES, 4);
  waitForRedistributor(gic, own);
  initSystemRegisters(gic);
}

/** No interrupt reaches the running processor any more. @linux gic_cpu_pm_notifier, CPU_PM_ENTER */
export function shutCpu(gic: GicState): void {
  gic.sysregs.write(ICC_IGRPEN1_EL1.sysreg, 0);
  setAsleep(gic, gic.frames[gic.currentCpu()], 1);
}

/** @throws LinuxError ETIMEDOUT @linux gic_redist_wait_for_rwp */
export function waitForRedistributor({ path }: GicState, { frame }: PrivateFrames): void {
  waitFor(path, frame, GICR_CTLR.offset, GICR_CTLR.RWP, 0);
}

/** @linux gic_enable_redist */
function setAsleep(gic: GicState, { frame }: PrivateFrames, asleep: number): void {
  if (gic.skipsWaker) return;
  frame.write(GICR_WAKER.offset, GICR_WAKER.ProcessorSleep.set(frame.read(GICR_WAKER.offset, 4), asleep), 4);
  waitFor(gic.path, frame, GICR_WAKER.offset, GICR_WAKER.ChildrenAsleep, asleep);
}

/** @linux gic_cpu_sys_reg_init */
function initSystemRegisters({ path, sysregs, currentCpu }: GicState): void {
  enableSystemRegisters();
  const priorityBits = ICC_CTLR_EL1.PRIbits(sysregs.read(ICC_CTLR_EL1.sysreg)) + 1;
  const group0 = hasGroup0(priorityBits);
  sysregs.write(ICC_PMR_EL1.sysreg, PRIORITY_MASK);
  sysregs.write(ICC_BPR1_EL1.sysreg, 0);
  sysregs.write(ICC_CTLR_EL1.sysreg, 0);
  const nrActivePriorities = priorityBits >= 7 ? 4 : priorityBits === 6 ? 2 : 1;
  if (group0) clear(ICC_AP0R_EL1.sysreg);
  clear(ICC_AP1R_EL1.sysreg);
  sysregs.write(ICC_IGRPEN1_EL1.sysreg, 1);

  function enableSystemRegisters(): void {
    const before = sysregs.read(ICC_SRE_EL1.sysreg);
    if (ICC_SRE_EL1.SRE(before) === 1) return;
    sysregs.write(ICC_SRE_EL1.sysreg, ICC_SRE_EL1.SRE.set(before, 1));
    if (ICC_SRE_EL1.SRE(sysregs.read(ICC_SRE_EL1.sysreg)) === 0)
      throw new LinuxError('ENODEV', `${path}: CPU ${currentCpu()} cannot set ICC_SRE_EL1.SRE`);
  }

  // Without access to Group 0 the lowest priority that is implemented cannot be set as a mask. @linux gic_has_group0
  function hasGroup0(bits: number): boolean {
    const before = sysregs.read(ICC_PMR_EL1.sysreg);
    sysregs.write(ICC_PMR_EL1.sysreg, 2 ** (8 - bits));
    const after = sysregs.read(ICC_PMR_EL1.sysreg);
    sysregs.write(ICC_PMR_EL1.sysreg, before);
    return after !== 0;
  }

  function clear(first: number): void {
    for (let n = nrActivePriorities - 1; n >= 0; n--) sysregs.write(first + n, 0);
  }
}
