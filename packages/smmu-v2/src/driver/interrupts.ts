// SPDX-License-Identifier: Apache-2.0
// The SMMU's interrupts: the first `#global-interrupts` tell of global faults, the others of the context banks'. Devicetree
// binding arm,smmu.yaml; how many there must be: the behaviour of Linux 6.1.

import { LinuxError } from '@irqkit/core';
import type { InterruptSpec, IrqHandler, ProbeContext } from '@irqkit/core';
import type { SmmuFeatures } from './smmu-features.js';

export class SmmuInterrupts {
  readonly #context: ProbeContext;
  readonly #global: readonly InterruptSpec[];
  readonly #contexts: readonly InterruptSpec[];

  /** @throws LinuxError ENODEV for a node that does not say which they are, or has none of the contexts' */
  constructor(context: ProbeContext) {
    const { path } = context.node;
    const nrGlobal = context.node.u32('#global-interrupts');
    if (nrGlobal === undefined) throw new LinuxError('ENODEV', `${path}: no #global-interrupts`);
    const { interrupts } = context.node;
    if (interrupts.length <= nrGlobal)
      throw new LinuxError('ENODEV', `${path}: ${interrupts.length} interrupts, ${nrGlobal + 1} wanted at least`);
    this.#context = context;
    this.#global = interrupts.slice(0, nrGlobal);
    this.#contexts = interrupts.slice(nrGlobal);
  }

  get nrContexts(): number {
    return this.#contexts.length;
  }

  /** @throws LinuxError ENODEV where an SMMUv2 has more context banks than interrupts for them */
  check({ architecture, nrContextBanks }: SmmuFeatures): void {
    if (architecture === 1 || nrContextBanks <= this.nrContexts) return;
    const { path } = this.#context.node;
    throw new LinuxError('ENODEV', `${path}: ${this.nrContexts} context interrupts, ${nrContextBanks} wanted`);
  }

  /** Until the node is released. @throws LinuxError EPROBE_DEFER before their controllers are there */
  requestGlobal(handler: () => boolean): void {
    for (const spec of this.#global)
      this.#context.devres.add(this.#request(spec, () => handler(), 'arm-smmu global fault'));
  }

  /** @returns the removal @throws LinuxError as the irqchip does */
  requestContext(index: number, handler: () => boolean): () => void {
    return this.#request(this.#contexts[index], () => handler(), 'arm-smmu-context-fault');
  }

  /** Wires to controllers that nobody drives are left alone. */
  #request(spec: InterruptSpec, handler: IrqHandler, name: string): () => void {
    const { irqs, node, log } = this.#context;
    let virq: number;
    try {
      virq = irqs.createMapping(spec);
    } catch (error) {
      if (!LinuxError.is(error, 'ENODEV')) throw error;
      log.warn(`${node.path}: ${name}: ${error.message}`);
      return () => undefined;
    }
    const unmap = (): void => {
      if (irqs.irqDesc(virq).actions.length === 0) irqs.freeIrqs(virq, 1);
    };
    try {
      irqs.requestIrq(virq, handler, name);
    } catch (error) {
      unmap();
      throw error;
    }
    return () => {
      irqs.freeIrq(virq, handler);
      unmap();
    };
  }
}
