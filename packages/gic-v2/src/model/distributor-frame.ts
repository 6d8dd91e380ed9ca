// SPDX-License-Identifier: Apache-2.0
// The Distributor's register frame (GICD). Arm IHI 0048B section 4.3.

import type { AccessSize, MmioModel, ModelLog, Requester } from '@irqkit/core';
import {
  FIRST_SPI,
  GICD_CPENDSGIR,
  GICD_CTLR,
  GICD_ICACTIVER,
  GICD_ICENABLER,
  GICD_ICFGR,
  GICD_ICPENDR,
  GICD_ID,
  GICD_IGROUPR,
  GICD_IIDR,
  GICD_IPRIORITYR,
  GICD_ISACTIVER,
  GICD_ISENABLER,
  GICD_ISPENDR,
  GICD_ITARGETSR,
  GICD_SGIR,
  GICD_SPENDSGIR,
  GICD_TYPER,
  SGI_FILTER,
} from '../regs.js';
import type { GicV2Parameters } from '../silicon.js';
import type { Forwarding } from './forwarding.js';
import type { Interrupts } from './interrupts.js';

/** ICPIDR4-7, ICPIDR0-3 and ICCIDR0-3 of the GIC-400 and of QEMU: architecture version 2, designed by Arm. */
const ID_BYTES = [0x04, 0x00, 0x00, 0x00, 0x90, 0xb4, 0x2b, 0x00, 0x0d, 0xf0, 0x05, 0xb1] as const;

const SGI_BITS = 0xffff;

export class DistributorFrame implements MmioModel {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #parameters: GicV2Parameters;
  readonly #log: ModelLog;

  constructor(interrupts: Interrupts, forwarding: Forwarding, parameters: GicV2Parameters, log: ModelLog) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#parameters = parameters;
    this.#log = log;
  }

  read(offset: number, size: AccessSize, by: Requester): number {
    const cpu = this.#cpuOf(by);
    if (cpu < 0 || !this.#widthFits(offset, size)) return 0;
    if (isIn(GICD_IPRIORITYR, offset) || isIn(GICD_ITARGETSR, offset) || isSgiPending(offset)) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.#readByte(offset + i, cpu) << (i * 8);
      return value >>> 0;
    }
    switch (offset) {
      case GICD_CTLR.offset:
        return this.#forwarding.ctlr;
      case GICD_TYPER.offset:
        return this.#typer();
      case GICD_IIDR.offset:
        return this.#parameters.gicdIidr;
      case GICD_SGIR.offset:
        this.#log.guest('GICD_SGIR is write-only');
        return 0;
    }
    if (isIn(GICD_ICFGR, offset)) return this.#readConfig((offset - GICD_ICFGR.offset) >>> 2, cpu);
    if (isIn(GICD_ID, offset)) return ID_BYTES[(offset - GICD_ID.offset) >>> 2];
    return this.#readBits(offset, cpu);
  }

  write(offset: number, value: number, size: AccessSize, by: Requester): void {
    const cpu = this.#cpuOf(by);
    if (cpu < 0 || !this.#widthFits(offset, size)) return;
    if (isIn(GICD_IPRIORITYR, offset)) return this.#writePriorities(offset - GICD_IPRIORITYR.offset, value, size, cpu);
    if (isIn(GICD_ITARGETSR, offset)) return this.#writeTargets(offset - GICD_ITARGETSR.offset, value, size);
    if (isSgiPending(offset)) return this.#writeSgiPending(offset, value, size, cpu);
    switch (offset) {
      case GICD_CTLR.offset:
        this.#forwarding.ctlr = value & (GICD_CTLR.EnableGrp0.mask | GICD_CTLR.EnableGrp1.mask);
        for (let each = 0; each < this.#interrupts.nrCpus; each++) this.#forwarding.enablesChanged(each);
        return;
      case GICD_SGIR.offset:
        return this.#sendSgi(value, cpu);
    }
    if (isIn(GICD_ICFGR, offset)) return this.#writeConfig((offset - GICD_ICFGR.offset) >>> 2, value, cpu);
    this.#writeBits(offset, value >>> 0, cpu);
  }

  #cpuOf(by: Requester): number {
    if (by.cpu >= 0 && by.cpu < this.#interrupts.nrCpus) return by.cpu;
    this.#log.guest('GICD accessed by what is none of its CPUs (%d)', by.cpu);
    return -1;
  }

  // CHOICE: accesses of other widths than section 4.1 lists for a register, or misaligned, are RAZ/WI.
  #widthFits(offset: number, size: AccessSize): boolean {
    const bytes = isIn(GICD_IPRIORITYR, offset) || isIn(GICD_ITARGETSR, offset) || isSgiPending(offset);
    if ((size === 4 && offset % 4 === 0) || (size === 1 && bytes)) return true;
    this.#log.guest('GICD access of %d bytes at 0x%x', size, offset);
    return false;
  }

  #typer(): number {
    let value = GICD_TYPER.ITLinesNumber.set(0, this.#interrupts.nrWords - 1);
    value = GICD_TYPER.CPUNumber.set(value, this.#interrupts.nrCpus - 1);
    return GICD_TYPER.SecurityExtn.set(value, this.#parameters.securityExtn);
  }

  #readByte(offset: number, cpu: number): number {
    const interrupts = this.#interrupts;
    if (isSgiPending(offset)) return interrupts.sgiSources[cpu * 16 + (offset & 0xf)];
    const intid = offset & 0x3ff;
    if (intid >= interrupts.nrIrqs) return 0;
    if (isIn(GICD_IPRIORITYR, offset)) return interrupts.priority[interrupts.index(cpu, intid)];
    return interrupts.nrCpus === 1 ? 0 : interrupts.targets[interrupts.index(cpu, intid)];
  }

  #readBits(offset: number, cpu: number): number {
    const interrupts = this.#interrupts;
    const word = (offset & 0x7f) >>> 2;
    if (word >= interrupts.nrWords) return 0;
    const slot = interrupts.slot(cpu, word);
    switch (offset - (offset & 0x7f)) {
      case GICD_IGROUPR.offset:
        return interrupts.group[slot];
      case GICD_ISENABLER.offset:
      case GICD_ICENABLER.offset:
        return interrupts.enabled[slot];
      case GICD_ISPENDR.offset:
      case GICD_ICPENDR.offset:
        return interrupts.pending(slot);
      case GICD_ISACTIVER.offset:
      case GICD_ICACTIVER.offset:
        return interrupts.active[slot];
      default:
        // GICD_NSACR is RAZ/WI without the Security Extensions, and so is what is implementation defined or reserved.
        return 0;
    }
  }

  #writeBits(offset: number, value: number, cpu: number): void {
    const interrupts = this.#interrupts;
    const word = (offset & 0x7f) >>> 2;
    if (word >= interrupts.nrWords) return;
    const slot = interrupts.slot(cpu, word);
    const bits = value & interrupts.implemented(word);
    // The pending state of SGIs changes by GICD_SGIR, GICD_SPENDSGIR and GICD_CPENDSGIR only.
    const notSgis = word === 0 ? bits & ~SGI_BITS : bits;
    switch (offset - (offset & 0x7f)) {
      case GICD_IGROUPR.offset:
        interrupts.group[slot] = bits;
        break;
      case GICD_ISENABLER.offset:
        interrupts.enabled[slot] |= bits;
        break;
      case GICD_ICENABLER.offset:
        interrupts.enabled[slot] &= ~notSgis;
        break;
      case GICD_ISPENDR.offset:
        interrupts.latched[slot] |= notSgis;
        break;
      case GICD_ICPENDR.offset:
        interrupts.latched[slot] &= ~notSgis;
        break;
      case GICD_ISACTIVER.offset:
        interrupts.active[slot] |= bits;
        break;
      case GICD_ICACTIVER.offset:
        interrupts.active[slot] &= ~bits;
        break;
      default:
        return;
    }
    this.#forwarding.wordChanged(cpu, word);
  }

  #writePriorities(intid: number, value: number, size: number, cpu: number): void {
    const interrupts = this.#interrupts;
    const implemented = (0xff << (8 - this.#parameters.priorityBits)) & 0xff;
    for (let i = 0; i < size && intid + i < interrupts.nrIrqs; i++)
      interrupts.priority[interrupts.index(cpu, intid + i)] = (value >>> (i * 8)) & implemented;
    if (intid < interrupts.nrIrqs) this.#forwarding.wordChanged(cpu, intid >>> 5);
  }

  #writeTargets(intid: number, value: number, size: number): void {
    const interrupts = this.#interrupts;
    if (intid < FIRST_SPI || intid >= interrupts.nrIrqs || interrupts.nrCpus === 1) return;
    const present = (1 << interrupts.nrCpus) - 1;
    for (let i = 0; i < size && intid + i < interrupts.nrIrqs; i++)
      interrupts.targets[interrupts.index(0, intid + i)] = (value >>> (i * 8)) & present;
    this.#forwarding.targetsChanged(intid >>> 5);
  }

  #readConfig(register: number, cpu: number): number {
    const word = register >>> 1;
    if (word >= this.#interrupts.nrWords) return 0;
    const half = this.#interrupts.edge[this.#interrupts.slot(cpu, word)] >>> ((register & 1) * 16);
    let value = 0;
    for (let i = 0; i < 16; i++) value |= ((half >>> i) & 1) << (i * 2 + 1);
    return value >>> 0;
  }

  #writeConfig(register: number, value: number, cpu: number): void {
    const word = register >>> 1;
    // GICD_ICFGR0 is read-only: SGIs are edge-triggered.
    if (register === 0 || word >= this.#interrupts.nrWords) return;
    const slot = this.#interrupts.slot(cpu, word);
    for (let i = 0; i < 16; i++) {
      const bit = (1 << (i + (register & 1) * 16)) & this.#interrupts.implemented(word);
      if ((value >>> (i * 2 + 1)) & 1) this.#interrupts.edge[slot] |= bit;
      else this.#interrupts.edge[slot] &= ~bit;
    }
    this.#forwarding.wordChanged(cpu, word);
  }

  #sendSgi(value: number, cpu: number): void {
    const all = (1 << this.#interrupts.nrCpus) - 1;
    const sgi = GICD_SGIR.SGIINTID(value);
    switch (GICD_SGIR.TargetListFilter(value)) {
      case SGI_FILTER.LIST:
        return this.#addSgi(sgi, cpu, GICD_SGIR.CPUTargetList(value) & all);
      case SGI_FILTER.OTHERS:
        return this.#addSgi(sgi, cpu, all & ~(1 << cpu));
      case SGI_FILTER.SELF:
        return this.#addSgi(sgi, cpu, 1 << cpu);
      default:
        // CHOICE: the reserved TargetListFilter 0b11 sends nothing.
        this.#log.guest('GICD_SGIR 0x%x: reserved TargetListFilter', value);
    }
  }

  #addSgi(sgi: number, source: number, targets: number): void {
    for (let cpu = 0; cpu < this.#interrupts.nrCpus; cpu++)
      if ((targets >>> cpu) & 1)
        this.#setSgiSources(cpu, sgi, this.#interrupts.sgiSources[cpu * 16 + sgi] | (1 << source));
  }

  #setSgiSources(cpu: number, sgi: number, sources: number): void {
    this.#interrupts.sgiSources[cpu * 16 + sgi] = sources;
    if (sources === 0) this.#interrupts.latched[cpu] &= ~(1 << sgi);
    else this.#interrupts.latched[cpu] |= 1 << sgi;
    this.#forwarding.changed(cpu, sgi);
  }

  #writeSgiPending(offset: number, value: number, size: number, cpu: number): void {
    const present = (1 << this.#interrupts.nrCpus) - 1;
    for (let i = 0; i < size; i++) {
      const sgi = (offset & 0xf) + i;
      const bits = (value >>> (i * 8)) & present;
      const sources = this.#interrupts.sgiSources[cpu * 16 + sgi];
      this.#setSgiSources(cpu, sgi, isIn(GICD_SPENDSGIR, offset) ? sources | bits : sources & ~bits);
    }
  }
}

function isIn(bank: { readonly offset: number; readonly sizeBytes: number }, offset: number): boolean {
  return offset >= bank.offset && offset < bank.offset + bank.sizeBytes;
}

function isSgiPending(offset: number): boolean {
  return isIn(GICD_CPENDSGIR, offset) || isIn(GICD_SPENDSGIR, offset);
}
