// SPDX-License-Identifier: Apache-2.0
// Virtual interrupt numbers and their descriptors: allocation of contiguous runs, lowest first, from 1.

import { LinuxError } from '../contracts/errno.js';
import { FLOW_HANDLERS } from './flow.js';
import type { IrqChip, IrqCommonData, IrqData } from './irq-chip.js';
import type { IrqDesc } from './irq-desc.js';
import type { IrqDataSource, IrqDomain } from './irq-domain.js';

/** The chip of a level whose alloc has not named one. @linux no_irq_chip */
const noIrqChip: IrqChip = { name: 'none' };

export class IrqTable implements IrqDataSource {
  readonly #descs: (IrqDesc | undefined)[] = [undefined];
  readonly #nrCpus: number;

  constructor(nrCpus: number) {
    this.#nrCpus = nrCpus;
  }

  /** @throws LinuxError EINVAL where `virq` is not allocated. */
  desc(virq: number): IrqDesc {
    const desc = this.#descs[virq];
    if (!desc) throw new LinuxError('EINVAL', `irq ${virq} is not allocated`);
    return desc;
  }

  find(virq: number): IrqDesc | undefined {
    return this.#descs[virq];
  }

  /** All that are allocated, ascending. */
  get all(): readonly IrqDesc[] {
    return this.#descs.filter((desc) => desc !== undefined);
  }

  irqData(domain: IrqDomain, virq: number): IrqData {
    for (let data: IrqData | undefined = this.desc(virq).data; data; data = data.parent)
      if (data.domain === domain) return data;
    throw new LinuxError('EINVAL', `${domain.name}: irq ${virq} has no level of it`);
  }

  /** The first of `nr` new interrupts whose outermost level is `domain`. */
  alloc(domain: IrqDomain, nr: number): number {
    const virq = this.#firstFree(nr);
    for (let i = virq; i < virq + nr; i++) this.#descs[i] = this.#make(i, domain);
    return virq;
  }

  free(virq: number, nr: number): void {
    for (let i = virq; i < virq + nr; i++) this.#descs[i] = undefined;
  }

  #firstFree(nr: number): number {
    let start = 1;
    for (let i = 1; i < this.#descs.length && i < start + nr; i++) if (this.#descs[i]) start = i + 1;
    return start;
  }

  #make(virq: number, domain: IrqDomain): IrqDesc {
    const everywhere = Array.from({ length: this.#nrCpus }, (_, cpu) => cpu);
    const common: IrqCommonData = { virq, affinity: everywhere, effectiveAffinity: [], type: 0, msiDesc: undefined };
    return {
      virq,
      data: level(domain, common),
      flow: FLOW_HANDLERS.fasteoi,
      actions: [],
      disableDepth: 1,
      pending: false,
      counts: new Float64Array(this.#nrCpus),
      seen: 0,
      unhandled: 0,
    };
  }
}

function level(domain: IrqDomain, common: IrqCommonData): IrqData {
  const parent = domain.parent && level(domain.parent, common);
  return {
    virq: common.virq,
    common,
    domain,
    parent,
    hwirq: -1,
    chip: noIrqChip,
    chipData: undefined,
    activated: false,
  };
}
