// SPDX-License-Identifier: Apache-2.0
// A board and a host with PCI functions that have MSI-X vectors, and what their handlers saw.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost } from '@irqkit/core';
import type { Bus, Firmware, Host, HostOptions, Plugin, Silicon } from '@irqkit/core';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { nvmeLike, pciHostGeneric } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';

const PLUGINS = [gicV3, gicV3Its, pciHostGeneric];

/** Nothing a test does raises as many. */
const MOST_TAKEN = 10_000;

export interface SystemFacts {
  readonly firmware: Firmware;
  /** The path of the PCI root. */
  readonly pcie: string;
  /** MSI-X table entries of functions 00:01.0, 00:02.0, … or of those at `places`. */
  readonly vectors: readonly number[];
  /** Device and function number of each. */
  readonly places?: readonly (readonly [device: number, fn: number])[];
  readonly silicon?: Readonly<Record<string, Silicon>>;
  /** What stands between host and board. */
  readonly bus?: (bus: Bus) => Bus;
  /** What drives and models the platform, where it is not a GICv3 with ITSs. */
  readonly plugins?: readonly Plugin[];
  readonly iommu?: HostOptions['iommu'];
}

export class ItsSystem {
  readonly board: Board;
  readonly host: Host;
  readonly devices: readonly PciDevice[];
  readonly #models: readonly ReturnType<typeof nvmeLike>[];
  readonly #virqs: (readonly number[])[];
  /** `function.vector@processor` */
  #taken: string[] = [];

  constructor(facts: SystemFacts) {
    const { firmware, pcie, vectors, silicon, bus = (own) => own, plugins = PLUGINS, iommu } = facts;
    const places = facts.places ?? vectors.map((_, i) => [i + 1, 0] as const);
    this.#models = vectors.map((nr) => nvmeLike({ vectors: nr }));
    const slots = this.#models.map((model, i) => ({ device: places[i][0], function: places[i][1], model }));
    this.board = createBoard({ firmware, plugins, silicon, plugged: { [pcie]: slots } });
    this.host = createHost({ firmware, plugins, bus: bus(this.board.bus), iommu });
    this.devices = places.map(([device, fn]) => this.host.devices.find(`0000:00:0${device}.${fn}`) as PciDevice);
    this.#virqs = vectors.map(() => []);
    for (const device of this.devices) device.enable();
  }

  /** Enables and requests the first `nr` vectors of a function, counted from 0. @throws LinuxError */
  enable(which: number, nr: number): readonly number[] {
    const virqs = this.devices[which].enableMsix(nr);
    this.#virqs[which] = virqs;
    for (const virq of virqs) this.host.irqs.requestIrq(virq, this.#handler, 'e2e');
    return virqs;
  }

  disable(which: number): void {
    for (const virq of this.#virqs[which]) this.host.irqs.freeIrq(virq, this.#handler);
    this.#virqs[which] = [];
    this.devices[which].freeVectors();
  }

  virq(which: number, vector: number): number {
    return this.#virqs[which][vector];
  }

  /** The function sends its message. */
  raise(which: number, vector: number): void {
    this.#models[which].raise(vector);
  }

  /** The function writes a word of its own choice; false where nothing took it. */
  store(which: number, address: number, value: number): boolean {
    return this.#models[which].dmaStore(address, new Uint8Array(Uint32Array.of(value).buffer));
  }

  /** The function reads a word; undefined where nothing answered. */
  load(which: number, address: number): number | undefined {
    const word = new Uint32Array(1);
    return this.#models[which].dmaLoad(address, new Uint8Array(word.buffer)) ? word[0] : undefined;
  }

  /** What handlers see while `work` runs. */
  taken(work: () => void): readonly string[] {
    this.#taken = [];
    work();
    return this.#taken;
  }

  driver<T>(of: abstract new (...args: never[]) => T, path?: string): T {
    const found = this.host.drivers.find(
      ({ instance, node }) => instance instanceof of && (path === undefined || node.path === path),
    );
    if (!found) throw new Error(`no ${of.name}`);
    return found.instance as T;
  }

  readonly #handler = (virq: number, cpu: number): boolean => {
    const which = this.#virqs.findIndex((virqs) => virqs.includes(virq));
    if (this.#taken.length >= MOST_TAKEN) throw new Error('an interrupt comes back for ever');
    this.#taken.push(`${which}.${this.#virqs[which].indexOf(virq)}@${cpu}`);
    return true;
  };
}
