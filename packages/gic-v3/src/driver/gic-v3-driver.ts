// SPDX-License-Identifier: Apache-2.0
// The GICv3 driver: what Linux 6.1's irq-gic-v3.c does with one, root of its interrupt tree, as a guest at EL1. Missing:
// EOImode 1, priority masking by ICC_PMR_EL1, partitioned PPIs, GICv4.

import { LinuxError, PROBE_CONTEXT, REDISTRIBUTORS, inject, injectable } from '@irqkit/core';
import type { IrqDomain, ProbeContext, Redistributors, SystemRegisters } from '@irqkit/core';
import {
  ARCH_REV,
  FIRST_SPECIAL,
  GICD_CTLR_NS,
  GICD_PIDR2,
  GICD_TYPER,
  GICR_TYPER,
  ICC_EOIR1_EL1,
  ICC_IAR1_EL1,
  SPURIOUS,
} from '../regs.js';
import { variantOf } from '../variants.js';
import { findRedistributors } from './find-redistributors.js';
import { gicChip } from './gic-chip.js';
import { gicDomainOps } from './gic-domain.js';
import type { GicState } from './gic-state.js';
import { bringOnline, takeOffline } from './hotplug.js';
import { initCpu, shutCpu } from './init-cpu.js';
import { initDistributor } from './init-distributor.js';
import { createMbiDomain } from './mbi-domain.js';
import { RedistributorSet } from './redistributor-set.js';

/** Hwirqs up to LPIs of 16 bits, all that Linux gives out, are looked up in an array; more of them in a Map. */
const LINEAR_ID_BITS = 16;

/**
 * Takes `reg` 0 (Distributor) and the regions of Redistributors after it, makes the node's `wired` domain, its `msi-parent`
 * domain where firmware and Distributor have message-based SPIs, offers REDISTRIBUTORS, and serves the IRQ of every processor.
 * @throws FirmwareError where `reg` is too short; LinuxError ENODEV where there is no GICv3, a processor without a
 * Redistributor, or no access to system registers; ETIMEDOUT, ENXIO, EEXIST, EBUSY where another root handler is set
 */
@injectable()
export class GicV3Driver {
  readonly domain: IrqDomain;
  /** Message-based SPIs; undefined where there are none. */
  readonly mbiDomain: IrqDomain | undefined;
  readonly redistributors: Redistributors;
  readonly #context: ProbeContext;
  readonly #gic: GicState;
  readonly #set: RedistributorSet;
  readonly #sysregs: SystemRegisters;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, bus, devres, irqs, log } = context;
    const { sysregs } = bus.cpus;
    if (!sysregs) throw new LinuxError('ENODEV', `${node.path}: the processors' system registers are out of reach`);
    this.#context = context;
    this.#sysregs = sysregs;
    this.#gic = this.#discover(sysregs);
    const { frames, idBits, hasLpis } = this.#gic;
    this.#set = new RedistributorSet({ byCpu: frames, idBits, hasLpis });
    this.redistributors = this.#set;
    const chip = gicChip(this.#gic, log);
    this.domain = irqs.createDomain({
      name: node.path,
      node,
      busToken: 'wired',
      ops: gicDomainOps(this.#gic, chip, irqs),
      size: idBits <= LINEAR_ID_BITS ? 2 ** LINEAR_ID_BITS : undefined,
    });
    devres.add(() => irqs.removeDomain(this.domain));
    this.mbiDomain = createMbiDomain(context, this.domain, this.#gic);
    this.#bringUp();
    devres.add(irqs.setRootHandler((cpu) => this.#serve(cpu)));
    context.provide(REDISTRIBUTORS, this.redistributors);
  }

  /**
   * Takes a processor out of service, or back into it. Its SPIs move to others, those with no processor left that they were
   * meant for to any; its per-CPU interrupts come back with it.
   * @throws LinuxError EINVAL for no such processor, EBUSY for the last one online; what an ITS throws
   * @linux irq_migrate_all_off_this_cpu, gic_starting_cpu
   */
  setOnline(cpu: number, online: boolean): void {
    if (!(cpu in this.#gic.frames)) throw new LinuxError('EINVAL', `${this.#gic.path}: no CPU ${cpu}`);
    if (this.#set.isOnline(cpu) === online) return;
    const parts = { context: this.#context, gic: this.#gic, domain: this.domain, set: this.#set };
    if (online) bringOnline(parts, cpu);
    else takeOffline(parts, cpu);
  }

  #discover(sysregs: SystemRegisters): GicState {
    const { node, bus } = this.#context;
    const gicd = this.#context.ioremap(0);
    const revision = GICD_PIDR2.ArchRev(gicd.read(GICD_PIDR2.offset, 4));
    if (revision !== ARCH_REV.GICv3 && revision !== ARCH_REV.GICv4)
      throw new LinuxError('ENODEV', `${node.path}: no distributor of a GICv3, but of revision ${revision}`);
    const typer = gicd.read(GICD_TYPER.offset, 4);
    const frames = findRedistributors(this.#context);
    const everyTyper = frames.map((own) => own.typer);
    return {
      path: node.path,
      gicd,
      sysregs,
      frames,
      mpidr: bus.cpus.mpidr,
      nrIrqs: Math.min((GICD_TYPER.ITLinesNumber(typer) + 1) * 32, FIRST_SPECIAL),
      nrExtendedSpis: GICD_TYPER.ESPI(typer) === 1 ? (GICD_TYPER.ESPI_range(typer) + 1) * 32 : 0,
      nrExtendedPpis: Math.min(...everyTyper.map((each) => nrExtendedPpis(GICR_TYPER.PPInum(each)))),
      idBits: GICD_TYPER.IDbits(typer) + 1,
      hasLpis: GICD_TYPER.LPIS(typer) === 1 && everyTyper.every((each) => GICR_TYPER.PLPIS(each) === 1),
      skipsWaker: variantOf(node).skipsWaker,
      currentCpu: () => bus.cpus.current,
      isOnline: (cpu) => this.#set.isOnline(cpu),
    };
  }

  // UNIMP: split priority drop and deactivation (EOImode 1)
  // UNIMP: interrupt masking by priority (pseudo-NMI)
  #bringUp(): void {
    const { bus, devres } = this.#context;
    devres.add(() => this.#gic.gicd.write(GICD_CTLR_NS.offset, 0, 4));
    initDistributor(this.#gic);
    const boot = bus.cpus.current;
    const others = this.#gic.frames.map(({ cpu }) => cpu).filter((cpu) => cpu !== boot);
    for (const cpu of [boot, ...others]) {
      devres.add(() => bus.cpus.runOn(cpu, () => shutCpu(this.#gic)));
      bus.cpus.runOn(cpu, () => initCpu(this.#gic));
    }
  }

  /** Serves everything that waits on the running processor. @linux gic_handle_irq */
  #serve(cpu: number): void {
    const sysregs = this.#sysregs;
    const { irqs } = this.#context;
    for (;;) {
      const intid = sysregs.read(ICC_IAR1_EL1.sysreg);
      if (intid >= FIRST_SPECIAL && intid <= SPURIOUS) return;
      if (!irqs.handleDomainIrq(this.domain, intid)) this.#drop(intid, cpu);
    }
  }

  /** @linux gic_deactivate_unhandled */
  #drop(intid: number, cpu: number): void {
    this.#context.log.warn(`${this.#gic.path}: INTID ${intid} on CPU ${cpu} is mapped to nothing`);
    this.#sysregs.write(ICC_EOIR1_EL1.sysreg, intid);
  }
}

/** GICR_TYPER.PPInum: 0 for none beyond INTID 31, 1 up to 1087, 2 up to 1119. */
function nrExtendedPpis(ppiNum: number): number {
  return ppiNum === 1 || ppiNum === 2 ? ppiNum * 32 : 0;
}
