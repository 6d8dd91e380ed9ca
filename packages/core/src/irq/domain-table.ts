// SPDX-License-Identifier: Apache-2.0
// The domains of a host, by firmware node and purpose.

import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { BusToken, IrqDomain } from './irq-domain.js';

export class DomainTable {
  readonly #byNode = new Map<FirmwareNode, Map<BusToken, IrqDomain>>();
  readonly #mayCome: (node: FirmwareNode) => boolean;

  /** `mayCome` says whether a driver of the node has yet to be probed. */
  constructor(mayCome: (node: FirmwareNode) => boolean) {
    this.#mayCome = mayCome;
  }

  /** @throws LinuxError EEXIST where the node has a domain for that already. */
  set(node: FirmwareNode, busToken: BusToken, domain: IrqDomain): void {
    const domains = this.#byNode.get(node) ?? new Map<BusToken, IrqDomain>();
    if (domains.has(busToken)) throw new LinuxError('EEXIST', `${node.path}: there is already a ${busToken} domain`);
    this.#byNode.set(node, domains.set(busToken, domain));
  }

  delete(node: FirmwareNode, busToken: BusToken): void {
    this.#byNode.get(node)?.delete(busToken);
  }

  /** Forgets `domain` under every name, and the domains that stand on it. */
  forget(domain: IrqDomain): void {
    for (const domains of this.#byNode.values())
      for (const [busToken, known] of domains) if (known === domain || known.standsOn(domain)) domains.delete(busToken);
  }

  find(node: FirmwareNode, busToken: BusToken): IrqDomain | undefined {
    return this.#byNode.get(node)?.get(busToken);
  }

  /** @throws LinuxError EPROBE_DEFER where it may still come, ENODEV where nothing will make it. */
  require(node: FirmwareNode, busToken: BusToken): IrqDomain {
    const domain = this.find(node, busToken);
    if (domain) return domain;
    if (this.#mayCome(node)) throw new LinuxError('EPROBE_DEFER', `${node.path}: no ${busToken} domain yet`);
    throw new LinuxError('ENODEV', `${node.path}: no driver makes a ${busToken} domain for it`);
  }
}
