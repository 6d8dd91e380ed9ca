// SPDX-License-Identifier: Apache-2.0
// Sees what drivers take from a host's frameworks, and fails it where it is told to. It is a plugin like any other, probed
// first, and stands before the operations of the objects that every probe is given.

import { hex } from '@irqkit/bits';
import { CORE_API, definePlugin, doorbellBases } from '@irqkit/core';
import type { BusToken, FirmwareNode, Plugin, ProbeContext } from '@irqkit/core';
import type { Faults } from './faults.js';
import { WATCH_COMPATIBLE } from './watch-node.js';

type Frameworks = Pick<ProbeContext, 'irqs' | 'doorbells' | 'iommus' | 'devices'>;

export class Watch {
  readonly plugin: Plugin;
  readonly #faults: Faults;
  readonly #names: { readonly node: FirmwareNode; readonly busToken: BusToken }[] = [];
  #frameworks: Frameworks | undefined;

  constructor(faults: Faults) {
    this.#faults = faults;
    this.plugin = definePlugin({
      name: '@irqkit/conformance',
      coreApi: CORE_API,
      irqChips: [{ compatible: [WATCH_COMPATIBLE], useFactory: (context) => this.#attach(context) }],
    });
  }

  /** One line for each thing taken and not given back. */
  get taken(): readonly string[] {
    if (!this.#frameworks) return [];
    const { irqs, doorbells, iommus, devices } = this.#frameworks;
    const domains = this.#names.flatMap(({ node, busToken }) => {
      const domain = irqs.findDomain(node, busToken);
      return domain ? [`the ${busToken} domain of ${node.path} with ${domain.nrMapped} interrupts`] : [];
    });
    return [
      ...new Set(domains),
      ...irqs.all.map(({ virq }) => `irq ${virq}`),
      ...doorbells.all.map(
        (info) =>
          `the doorbell ${doorbellBases(info)
            .map((base) => hex(base))
            .join(' ')}`,
      ),
      ...iommus.groups.map((group) => `the IOMMU group of ${group.devices.map(({ name }) => name).join(' and ')}`),
      ...devices.all.map(({ name }) => `the device ${name}`),
    ];
  }

  #attach({ irqs, doorbells, iommus, devices }: ProbeContext): object {
    this.#frameworks = { irqs, doorbells, iommus, devices };
    this.#stepBefore(this.#frameworks);
    const createDomain = irqs.createDomain.bind(irqs);
    irqs.createDomain = (options) => {
      this.#faults.step(`irqs.createDomain of ${options.name}`);
      const domain = createDomain(options);
      // UNIMP: faults within a controller's activation
      // Drivers may recognize a domain by its ops, which are therefore left alone.
      domain.allocParent = this.#faulty(`alloc from the parent of ${domain.name}`, domain.allocParent.bind(domain));
      if (options.node) this.#names.push({ node: options.node, busToken: options.busToken });
      return domain;
    };
    const aliasDomain = irqs.aliasDomain.bind(irqs);
    irqs.aliasDomain = (node, busToken, domain) => {
      this.#faults.step(`irqs.aliasDomain for ${node.path}`);
      aliasDomain(node, busToken, domain);
      this.#names.push({ node, busToken });
    };
    return this;
  }

  #stepBefore({ irqs, doorbells, iommus, devices }: Frameworks): void {
    irqs.allocIrqs = this.#faulty('irqs.allocIrqs', irqs.allocIrqs.bind(irqs));
    irqs.createMapping = this.#faulty('irqs.createMapping', irqs.createMapping.bind(irqs));
    irqs.requestIrq = this.#faulty('irqs.requestIrq', irqs.requestIrq.bind(irqs));
    irqs.requestPercpuIrq = this.#faulty('irqs.requestPercpuIrq', irqs.requestPercpuIrq.bind(irqs));
    irqs.setRootHandler = this.#faulty('irqs.setRootHandler', irqs.setRootHandler.bind(irqs));
    doorbells.register = this.#faulty('doorbells.register', doorbells.register.bind(doorbells));
    iommus.register = this.#faulty('iommus.register', iommus.register.bind(iommus));
    devices.add = this.#faulty('devices.add', devices.add.bind(devices));
  }

  #faulty<A extends unknown[], R>(what: string, operation: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.#faults.step(what);
      return operation(...args);
    };
  }
}
