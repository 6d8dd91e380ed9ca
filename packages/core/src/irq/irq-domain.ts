// SPDX-License-Identifier: Apache-2.0
// Interrupt domains: a controller's number space, stacked from a device's end to the root.

import type { MsiDoorbellInfo } from '../contracts/doorbell.js';
import { LinuxError } from '../contracts/errno.js';
import type { Device } from '../contracts/device.js';
import type { FirmwareNode, InterruptSpec } from '../contracts/firmware.js';
import type { MsiDesc } from '../msi/msi-desc.js';
import type { MsiDomainInfo, MsiParentOps } from '../msi/msi-domain-info.js';
import type { IrqChip, IrqData } from './irq-chip.js';

/** What a domain is for, so that one node may own several. @linux enum irq_domain_bus_token */
export type BusToken = 'wired' | 'msi-parent' | 'pci-msi' | 'platform-msi' | (string & {});

/** @linux IRQ_DOMAIN_FLAG_ISOLATED_MSI; MSI_FLAG_IRQ_REMAPPING in v11 */
export const IRQ_DOMAIN_FLAG = { ISOLATED_MSI: 1 } as const;

/** What is asked of a domain's alloc. Each level may change what it passes to its parent. */
export interface IrqAllocInfo {
  /** For wired interrupts and for parents that are asked by specifier. */
  readonly spec?: InterruptSpec;
  /** For MSIs: the device and the vector. */
  readonly device?: Device;
  readonly desc?: MsiDesc;
  /** The number wanted, where the asker chooses it. */
  readonly hwirq?: number;
}

/** @linux struct irq_domain_ops */
export interface IrqDomainOps {
  /** The hwirq and IRQ_TYPE that a firmware specifier names. @throws LinuxError EINVAL */
  translate?(domain: IrqDomain, spec: InterruptSpec): { readonly hwirq: number; readonly type: number };
  /**
   * Takes `nr` interrupts: allocates from the parent, then calls `domain.setInfo` for each virq. Undoes what it did
   * before it throws.
   * @throws LinuxError ENOSPC where there is no room; EINVAL for a request that is not this domain's to serve: a specifier of
   * another controller, a hwirq it does not have
   */
  alloc(domain: IrqDomain, virq: number, nr: number, info: IrqAllocInfo): void;
  free(domain: IrqDomain, virq: number, nr: number): void;
  /** Makes hardware ready to deliver; parents are activated first. */
  activate?(domain: IrqDomain, data: IrqData): void;
  deactivate?(domain: IrqDomain, data: IrqData): void;
}

export interface IrqDomainOptions {
  readonly name: string;
  readonly node: FirmwareNode | undefined;
  readonly busToken: BusToken;
  readonly ops: IrqDomainOps;
  readonly parent?: IrqDomain;
  /** IRQ_DOMAIN_FLAG bits. */
  readonly flags?: number;
  /** Hwirqs are below this, and looked up in an array; without it, in a Map. */
  readonly size?: number;
  /** Every doorbell that its messages can hit. */
  readonly doorbells?: () => readonly MsiDoorbellInfo[];
  /** Present on a domain that bus-level MSI domains may stand on. */
  readonly msiParent?: MsiParentOps;
  /** Present on a bus-level MSI domain. */
  readonly msiInfo?: MsiDomainInfo;
}

/** How a domain reaches the interrupts it is asked for: the part of the frameworks it needs. */
export interface IrqDataSource {
  /** The level of `virq` that belongs to `domain`. @throws LinuxError EINVAL where it has none. */
  irqData(domain: IrqDomain, virq: number): IrqData;
}

export class IrqDomain {
  readonly name: string;
  readonly node: FirmwareNode | undefined;
  readonly busToken: BusToken;
  readonly ops: IrqDomainOps;
  readonly parent: IrqDomain | undefined;
  readonly flags: number;
  readonly msiParent: MsiParentOps | undefined;
  readonly msiInfo: MsiDomainInfo | undefined;
  readonly #doorbells: () => readonly MsiDoorbellInfo[];
  readonly #linear: (IrqData | undefined)[] | undefined;
  readonly #sparse = new Map<number, IrqData>();
  readonly #source: IrqDataSource;

  constructor(options: IrqDomainOptions, source: IrqDataSource) {
    this.name = options.name;
    this.node = options.node;
    this.busToken = options.busToken;
    this.ops = options.ops;
    this.parent = options.parent;
    this.flags = options.flags ?? 0;
    this.msiParent = options.msiParent;
    this.msiInfo = options.msiInfo;
    this.#doorbells = options.doorbells ?? (() => []);
    this.#linear =
      options.size === undefined ? undefined : new Array<IrqData | undefined>(options.size).fill(undefined);
    this.#source = source;
  }

  /** Every doorbell that messages of this domain or of one it stands on can hit; the nearest level that has some. */
  get doorbells(): readonly MsiDoorbellInfo[] {
    const own = this.#doorbells();
    return own.length > 0 || !this.parent ? own : this.parent.doorbells;
  }

  /** True where this level or one it stands on has the flag. */
  hasFlag(flag: number): boolean {
    return (this.flags & flag) !== 0 || (this.parent?.hasFlag(flag) ?? false);
  }

  /** True where `domain` lies between this one and the root. */
  standsOn(domain: IrqDomain): boolean {
    return this.parent === domain || (this.parent?.standsOn(domain) ?? false);
  }

  /** This domain's level of `virq`. @throws LinuxError EINVAL where it has none. @linux irq_domain_get_irq_data */
  irqData(virq: number): IrqData {
    return this.#source.irqData(this, virq);
  }

  /** Called by alloc: names the hardware interrupt behind `virq`. @linux irq_domain_set_hwirq_and_chip */
  setInfo(virq: number, hwirq: number, chip: IrqChip, chipData?: unknown): void {
    const data = this.irqData(virq);
    data.hwirq = hwirq;
    data.chip = chip;
    data.chipData = chipData;
  }

  /** Passes an alloc on to the parent. @linux irq_domain_alloc_irqs_parent */
  allocParent(virq: number, nr: number, info: IrqAllocInfo): void {
    if (!this.parent) throw new LinuxError('ENOSYS', `${this.name}: no parent domain`);
    this.parent.ops.alloc(this.parent, virq, nr, info);
  }

  /** @linux irq_domain_free_irqs_parent */
  freeParent(virq: number, nr: number): void {
    this.parent?.ops.free(this.parent, virq, nr);
  }

  /** The interrupt that hardware calls `hwirq`. @linux irq_resolve_mapping */
  find(hwirq: number): IrqData | undefined {
    return this.#linear ? this.#linear[hwirq] : this.#sparse.get(hwirq);
  }

  /** @internal Makes `data` findable by its hwirq. @throws LinuxError EEXIST, EINVAL */
  insert(data: IrqData): void {
    if (this.find(data.hwirq)) throw new LinuxError('EEXIST', `${this.name}: hwirq ${data.hwirq} is already mapped`);
    if (!this.#linear) this.#sparse.set(data.hwirq, data);
    else if (data.hwirq >= 0 && data.hwirq < this.#linear.length) this.#linear[data.hwirq] = data;
    else throw new LinuxError('EINVAL', `${this.name}: no hwirq ${data.hwirq}`);
  }

  /** @internal */
  remove(data: IrqData): void {
    if (this.find(data.hwirq) !== data) return;
    if (this.#linear) this.#linear[data.hwirq] = undefined;
    else this.#sparse.delete(data.hwirq);
  }

  /** How many interrupts are mapped. */
  get nrMapped(): number {
    return this.#linear ? this.#linear.filter((data) => data).length : this.#sparse.size;
  }
}
