// SPDX-License-Identifier: Apache-2.0
// The GICv2 driver: what Linux 6.1's irq-gic.c does with one that is the root of the interrupt tree.

import { PROBE_CONTEXT, inject, injectable } from '@irqkit/core';
import type { IrqDomain, MmioRegion, ProbeContext } from '@irqkit/core';
import { FIRST_PPI, GICC_EOIR, GICC_IAR, GICD_CTLR, MAX_CPUS, NR_INTIDS } from '../regs.js';
import { gicChip } from './gic-chip.js';
import type { GicState } from './gic-chip.js';
import { gicDomainOps } from './gic-domain.js';
import { initCpu, initDistributor, readNrIrqs, shutCpu } from './gic-init.js';

/**
 * Takes `reg` 0 (Distributor) and 1 (CPU interfaces), makes the node's `wired` domain and serves the IRQ of every CPU.
 * @throws FirmwareError where `reg` has not both; LinuxError ENXIO, EEXIST, EBUSY where another root handler is set
 */
@injectable()
export class GicV2Driver {
  readonly domain: IrqDomain;
  readonly nrIrqs: number;
  readonly #context: ProbeContext;
  readonly #gic: GicState;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, bus, devres, irqs } = context;
    const gicd = context.ioremap(0);
    const gicc = context.ioremap(1);
    const nrCpus = Math.min(bus.cpus.count, MAX_CPUS);
    this.#context = context;
    this.#gic = {
      path: node.path,
      gicd,
      gicc,
      cpuMasks: new Uint8Array(nrCpus),
      sgiIntid: new Uint16Array(nrCpus),
      currentCpu: () => bus.cpus.current,
    };
    this.nrIrqs = readNrIrqs(gicd);
    const chip = gicChip(this.#gic);
    const ops = gicDomainOps(node.path, this.nrIrqs, chip, irqs);
    this.domain = irqs.createDomain({ name: node.path, node, busToken: 'wired', ops, size: this.nrIrqs });
    devres.add(() => irqs.removeDomain(this.domain));
    this.#bringUp(gicd, gicc, nrCpus);
    // UNIMP: GICs cascaded into another controller
    devres.add(irqs.setRootHandler((cpu) => this.#serve(cpu)));
  }

  // UNIMP: split priority drop and deactivation (EOImode 1)
  #bringUp(gicd: MmioRegion, gicc: MmioRegion, nrCpus: number): void {
    const { bus, devres } = this.#context;
    devres.add(() => gicd.write(GICD_CTLR.offset, 0, 4));
    initDistributor(gicd, this.nrIrqs);
    const boot = bus.cpus.current;
    const others = Array.from({ length: nrCpus }, (_, cpu) => cpu).filter((cpu) => cpu !== boot);
    for (const cpu of [boot, ...others]) {
      devres.add(() => bus.cpus.runOn(cpu, () => shutCpu(gicc)));
      this.#gic.cpuMasks[cpu] = bus.cpus.runOn(cpu, () => initCpu(gicd, gicc));
    }
  }

  /** Serves everything that waits on `cpu`. @linux gic_handle_irq */
  #serve(cpu: number): void {
    const { gicc, sgiIntid } = this.#gic;
    const { irqs } = this.#context;
    for (;;) {
      const value = gicc.read(GICC_IAR.offset, 4);
      const intid = GICC_IAR.Interrupt_ID(value);
      if (intid >= NR_INTIDS) return;
      if (intid < FIRST_PPI) sgiIntid[cpu] = value;
      if (!irqs.handleDomainIrq(this.domain, intid)) this.#drop(value, intid);
    }
  }

  // Linux leaves an interrupt that nobody mapped active; here it is ended, so that the CPU goes on.
  #drop(value: number, intid: number): void {
    this.#context.log.warn(`${this.#gic.path}: INTID ${intid} is mapped to nothing`);
    this.#gic.gicc.write(GICC_EOIR.offset, value, 4);
  }
}
