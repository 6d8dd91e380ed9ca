// SPDX-License-Identifier: Apache-2.0
// Processors that go and return. Linux 6.1 kernel/irq/cpuhotplug.c and irq-gic-v3.c.

import { LinuxError } from '@irqkit/core';
import type { IrqData, IrqDesc, IrqDomain, ProbeContext } from '@irqkit/core';
import { FIRST_LPI } from '../regs.js';
import type { GicState } from './gic-state.js';
import { initCpu, shutCpu } from './init-cpu.js';
import { isPrivate } from './interrupt-registers.js';
import type { RedistributorSet } from './redistributor-set.js';

export interface HotplugParts {
  readonly context: ProbeContext;
  readonly gic: GicState;
  /** The root domain. */
  readonly domain: IrqDomain;
  readonly set: RedistributorSet;
}

/** Its SPIs move, ITSs are told, and only then does it fall asleep: nothing pending stays behind unseen. */
export function takeOffline({ context, gic, domain, set }: HotplugParts, cpu: number): void {
  if (set.online.length === 1) throw new LinuxError('EBUSY', `${gic.path}: CPU ${cpu} is the last one online`);
  const { irqs, bus } = context;
  set.mark(cpu, false);
  try {
    for (const desc of irqs.all) if (isOnlyFor(desc, domain, cpu)) moveAway(context, set, desc);
    set.tell(cpu, false);
  } catch (error) {
    set.mark(cpu, true);
    throw error;
  }
  bus.cpus.runOn(cpu, () => shutCpu(gic));
}

export function bringOnline({ context, gic, domain, set }: HotplugParts, cpu: number): void {
  const { irqs, bus } = context;
  bus.cpus.runOn(cpu, () => initCpu(gic));
  set.mark(cpu, true);
  try {
    set.tell(cpu, true);
  } catch (error) {
    set.mark(cpu, false);
    bus.cpus.runOn(cpu, () => shutCpu(gic));
    throw error;
  }
  for (const desc of irqs.all) {
    const hwirq = levelOf(desc, domain)?.hwirq;
    if (hwirq !== undefined && isPrivate(hwirq) && desc.actions.length > 0)
      bus.cpus.runOn(cpu, () => desc.data.chip.unmask?.(desc.data));
  }
}

/** @linux migrate_one_irq */
function moveAway({ irqs }: ProbeContext, set: RedistributorSet, { virq, data }: IrqDesc): void {
  const left = data.common.affinity.filter((other) => set.isOnline(other));
  irqs.setAffinity(virq, left.length > 0 ? data.common.affinity : set.online);
}

// LPIs are their ITS's to move.
function isOnlyFor(desc: IrqDesc, domain: IrqDomain, cpu: number): boolean {
  const hwirq = levelOf(desc, domain)?.hwirq;
  const isSpi = hwirq !== undefined && hwirq < FIRST_LPI && !isPrivate(hwirq);
  return isSpi && desc.data.common.effectiveAffinity.includes(cpu);
}

function levelOf({ data }: IrqDesc, domain: IrqDomain): IrqData | undefined {
  for (let level: IrqData | undefined = data; level; level = level.parent) if (level.domain === domain) return level;
  return undefined;
}
