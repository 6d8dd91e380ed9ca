// SPDX-License-Identifier: Apache-2.0
// The interrupt framework of one host: domains, allocation through their hierarchy, and the life of an interrupt.

import type { Device } from '../contracts/device.js';
import type { CpuPort } from '../contracts/bus.js';
import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode, InterruptSpec } from '../contracts/firmware.js';
import type { HostLog } from '../host/contexts.js';
import { Devres } from '../host/devres.js';
import { DomainTable } from './domain-table.js';
import { FLOW_HANDLERS } from './flow.js';
import type { Flow } from './flow.js';
import type { IrqData } from './irq-chip.js';
import type { IrqDesc, IrqHandler } from './irq-desc.js';
import { IrqDomain } from './irq-domain.js';
import type { BusToken, IrqAllocInfo, IrqDomainOptions } from './irq-domain.js';
import { IrqEntry } from './irq-entry.js';
import type { RootHandler } from './irq-entry.js';
import { IrqTable } from './irq-table.js';

export class IrqCore {
  readonly cpus: CpuPort;
  readonly log: HostLog;
  /** @internal What each device with enabled MSIs holds. */
  readonly msiResources = new Map<Device, Devres>();
  readonly #table: IrqTable;
  readonly #domains: DomainTable;
  readonly #entry: IrqEntry;
  readonly #disableStuck = (desc: IrqDesc): void => {
    this.log.warn(`irq ${desc.virq}: nobody cared, disabled`);
    this.disable(desc.virq);
  };

  /** `mayCome` says whether a driver of a node has yet to be probed. */
  constructor(cpus: CpuPort, log: HostLog, mayCome: (node: FirmwareNode) => boolean) {
    this.cpus = cpus;
    this.log = log;
    this.#table = new IrqTable(cpus.count);
    this.#domains = new DomainTable(mayCome);
    this.#entry = new IrqEntry(cpus);
  }

  /** Makes a domain and, where it has a node, makes it findable. @throws LinuxError EEXIST @linux irq_domain_add_* */
  createDomain(options: IrqDomainOptions): IrqDomain {
    const domain = new IrqDomain(options, this.#table);
    if (options.node) this.#domains.set(options.node, options.busToken, domain);
    return domain;
  }

  /**
   * Forgets a domain, its aliases and the empty domains that stand on it.
   * @throws LinuxError EBUSY while interrupts are mapped in it @linux irq_domain_remove
   */
  removeDomain(domain: IrqDomain): void {
    if (domain.nrMapped > 0) throw new LinuxError('EBUSY', `${domain.name}: ${domain.nrMapped} interrupts are mapped`);
    this.#domains.forget(domain);
  }

  /** Lets `domain` be found by another node, or for another purpose. @throws LinuxError EEXIST */
  aliasDomain(node: FirmwareNode, busToken: BusToken, domain: IrqDomain): void {
    this.#domains.set(node, busToken, domain);
  }

  removeAlias(node: FirmwareNode, busToken: BusToken): void {
    this.#domains.delete(node, busToken);
  }

  /** @linux irq_find_matching_fwnode */
  findDomain(node: FirmwareNode, busToken: BusToken): IrqDomain | undefined {
    return this.#domains.find(node, busToken);
  }

  /** @throws LinuxError EPROBE_DEFER where it may still come, ENODEV where nothing will make it. */
  requireDomain(node: FirmwareNode, busToken: BusToken): IrqDomain {
    return this.#domains.require(node, busToken);
  }

  /**
   * Takes `nr` interrupts with consecutive numbers; nothing is left behind when it fails.
   * @returns the first number
   * @throws LinuxError as the domains' alloc does @linux irq_domain_alloc_irqs
   */
  allocIrqs(domain: IrqDomain, nr: number, info: IrqAllocInfo): number {
    const undo = new Devres();
    const virq = this.#table.alloc(domain, nr);
    undo.add(() => this.#table.free(virq, nr));
    try {
      domain.ops.alloc(domain, virq, nr, info);
      undo.add(() => domain.ops.free(domain, virq, nr));
      for (let i = virq; i < virq + nr; i++)
        for (let data: IrqData | undefined = this.#table.desc(i).data; data; data = data.parent) {
          const inserted = data;
          inserted.domain.insert(inserted);
          undo.add(() => inserted.domain.remove(inserted));
        }
    } catch (error) {
      undo.releaseAll();
      throw error;
    }
    return virq;
  }

  /** @throws LinuxError EBUSY while one of them has a handler. @linux irq_domain_free_irqs */
  freeIrqs(virq: number, nr: number): void {
    const descs = Array.from({ length: nr }, (_, i) => this.#table.desc(virq + i));
    const busy = descs.find((desc) => desc.actions.length > 0);
    if (busy) throw new LinuxError('EBUSY', `irq ${busy.virq}: ${busy.actions[0].name} still handles it`);
    const { domain } = descs[0].data;
    for (const desc of descs) {
      this.deactivate(desc.virq);
      for (let data: IrqData | undefined = desc.data; data; data = data.parent) data.domain.remove(data);
    }
    domain.ops.free(domain, virq, nr);
    this.#table.free(virq, nr);
  }

  /**
   * The interrupt of a firmware specifier, made on first use and shared afterwards.
   * @throws LinuxError EPROBE_DEFER, ENODEV, EINVAL @linux irq_create_fwspec_mapping
   */
  createMapping(spec: InterruptSpec): number {
    const domain = this.requireDomain(spec.controller, 'wired');
    if (!domain.ops.translate) throw new LinuxError('EINVAL', `${domain.name}: takes no specifiers`);
    const { hwirq, type } = domain.ops.translate(domain, spec);
    const virq = domain.find(hwirq)?.virq ?? this.allocIrqs(domain, 1, { spec });
    if (type !== 0) this.#table.desc(virq).data.common.type = type;
    return virq;
  }

  /** Called from a domain's alloc. @linux irq_set_handler */
  setFlow(virq: number, flow: Flow): void {
    this.#table.desc(virq).flow = FLOW_HANDLERS[flow];
  }

  /** Makes the hardware behind `virq` ready, root first; what was done is undone when a level fails. @linux irq_domain_activate_irq */
  activate(virq: number): void {
    const activateLevel = (data: IrqData): void => {
      if (data.activated) return;
      if (data.parent) activateLevel(data.parent);
      try {
        data.domain.ops.activate?.(data.domain, data);
      } catch (error) {
        if (data.parent) deactivateLevel(data.parent);
        throw error;
      }
      data.activated = true;
    };
    activateLevel(this.#table.desc(virq).data);
  }

  /** Device's end first. @linux irq_domain_deactivate_irq */
  deactivate(virq: number): void {
    deactivateLevel(this.#table.desc(virq).data);
  }

  /**
   * Adds a handler; the first one activates, types and unmasks the interrupt.
   * @throws LinuxError EINVAL where `virq` is not allocated; what activating or unmasking throws, with no handler added
   * @linux request_irq
   */
  requestIrq(virq: number, handler: IrqHandler, name: string): void {
    const desc = this.#table.desc(virq);
    if (desc.actions.length === 0) {
      this.activate(virq);
      const { common } = desc.data;
      if (common.type !== 0) desc.data.chip.setType?.(desc.data, common.type);
      if (common.effectiveAffinity.length === 0) desc.data.chip.setAffinity?.(desc.data, common.affinity);
    }
    desc.actions.push({ handler, name });
    if (desc.actions.length > 1) return;
    try {
      this.enable(virq);
    } catch (error) {
      desc.actions.pop();
      throw error;
    }
  }

  /** Takes a handler away; the last one masks the interrupt. @throws LinuxError ENOENT @linux free_irq */
  freeIrq(virq: number, handler: IrqHandler): void {
    const desc = this.#table.desc(virq);
    const index = desc.actions.findIndex((action) => action.handler === handler);
    if (index < 0) throw new LinuxError('ENOENT', `irq ${virq}: no such handler`);
    if (desc.actions.length === 1) this.disable(virq);
    desc.actions.splice(index, 1);
    if (desc.actions.length === 0) desc.pending = false;
  }

  /** As requestIrq, unmasked on every processor: for per-CPU interrupts. @linux request_percpu_irq, enable_percpu_irq */
  requestPercpuIrq(virq: number, handler: IrqHandler, name: string): void {
    const desc = this.#table.desc(virq);
    this.activate(virq);
    desc.actions.push({ handler, name });
    desc.disableDepth = 0;
    for (let cpu = 0; cpu < this.cpus.count; cpu++) this.cpus.runOn(cpu, () => desc.data.chip.unmask?.(desc.data));
  }

  /** @throws LinuxError ENOENT @linux disable_percpu_irq, free_percpu_irq */
  freePercpuIrq(virq: number, handler: IrqHandler): void {
    const desc = this.#table.desc(virq);
    if (desc.actions[0]?.handler !== handler) throw new LinuxError('ENOENT', `irq ${virq}: no such handler`);
    for (let cpu = 0; cpu < this.cpus.count; cpu++) this.cpus.runOn(cpu, () => desc.data.chip.mask?.(desc.data));
    desc.disableDepth = 1;
    desc.actions.pop();
  }

  /** Undoes one `disable`; what arrived meanwhile is raised again. @linux enable_irq */
  enable(virq: number): void {
    const desc = this.#table.desc(virq);
    if (desc.disableDepth === 0) throw new LinuxError('EINVAL', `irq ${virq}: unbalanced enable`);
    this.#entry.withIrqsDisabled(() => {
      if (desc.disableDepth === 1) desc.data.chip.unmask?.(desc.data);
      if (--desc.disableDepth > 0 || !desc.pending) return;
      desc.pending = false;
      desc.data.chip.retrigger?.(desc.data);
    });
  }

  /** Nests. @linux disable_irq */
  disable(virq: number): void {
    const desc = this.#table.desc(virq);
    this.#entry.withIrqsDisabled(() => {
      if (desc.disableDepth++ === 0) desc.data.chip.mask?.(desc.data);
    });
  }

  /** @throws LinuxError EINVAL @linux irq_set_irq_type */
  setType(virq: number, type: number): void {
    const { data } = this.#table.desc(virq);
    if (!data.chip.setType) throw new LinuxError('EINVAL', `irq ${virq}: ${data.chip.name} has no types`);
    data.chip.setType(data, type);
    data.common.type = type;
  }

  /**
   * Moves an interrupt to one of `cpus`. Neither allocates nor waits (R8).
   * @throws LinuxError EINVAL for an empty set, an unknown processor, or a message that has no binding
   * @linux irq_set_affinity
   */
  setAffinity(virq: number, cpus: readonly number[]): void {
    const { data } = this.#table.desc(virq);
    const { chip } = data;
    if (cpus.length === 0 || cpus.some((cpu) => !this.#isCpu(cpu)))
      throw new LinuxError('EINVAL', `irq ${virq}: no such processors: ${cpus.join(',') || 'none'}`);
    if (!chip.setAffinity) throw new LinuxError('EINVAL', `irq ${virq}: ${chip.name} cannot set an affinity`);
    this.#entry.withIrqsDisabled(() => chip.setAffinity?.(data, cpus));
    data.common.affinity = [...cpus];
  }

  /** Raises a per-CPU interrupt on `cpus`. @throws LinuxError EINVAL @linux ipi_send_mask */
  sendIpi(virq: number, cpus: readonly number[]): void {
    const { data } = this.#table.desc(virq);
    if (!data.chip.ipiSend) throw new LinuxError('EINVAL', `irq ${virq}: ${data.chip.name} sends no IPIs`);
    data.chip.ipiSend(data, cpus);
  }

  /** Serves the interrupt that hardware calls `hwirq`; false where it is not mapped. @linux generic_handle_domain_irq */
  handleDomainIrq(domain: IrqDomain, hwirq: number): boolean {
    const data = domain.find(hwirq);
    const desc = data && this.#table.find(data.virq);
    if (!desc) return false;
    desc.flow(desc, this.cpus.current, this.#disableStuck);
    return true;
  }

  /** @throws LinuxError EBUSY where there is one. Returns the removal. @linux set_handle_irq */
  setRootHandler(handler: RootHandler): () => void {
    return this.#entry.setHandler(handler);
  }

  /** Runs `work` with interrupts disabled on every processor. @linux local_irq_save */
  withIrqsDisabled<T>(work: () => T): T {
    return this.#entry.withIrqsDisabled(work);
  }

  /** @throws LinuxError EINVAL where `virq` is not allocated. */
  irqDesc(virq: number): IrqDesc {
    return this.#table.desc(virq);
  }

  /** @throws LinuxError EINVAL @linux irq_get_irq_data */
  irqData(virq: number): IrqData {
    return this.#table.desc(virq).data;
  }

  /** Every allocated interrupt, ascending. */
  get all(): readonly IrqDesc[] {
    return this.#table.all;
  }

  /** @internal Stops listening to the processors. */
  detach(): void {
    this.#entry.detach();
  }

  #isCpu(cpu: number): boolean {
    return Number.isInteger(cpu) && cpu >= 0 && cpu < this.cpus.count;
  }
}

function deactivateLevel(data: IrqData): void {
  if (!data.activated) return;
  data.domain.ops.deactivate?.(data.domain, data);
  data.activated = false;
  if (data.parent) deactivateLevel(data.parent);
}
