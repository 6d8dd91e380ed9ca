// SPDX-License-Identifier: Apache-2.0
// One bus: the functions on it, what each answers to, and the way of their requests to the top.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { AccessSize, DmaPort, ModelLog, State } from '@irqkit/core';
import { ABSENT, DEVICE_PORT_TYPE } from '../regs.js';
import type { PciBridgeModel } from './pci-bridge-model.js';
import type { PciFunctionModel } from './pci-function-model.js';
import type { PciSlot } from './pci-slot.js';

/** What stands above the root bus. */
export interface PciRoot {
  readonly firstBus: number;
  readonly log: ModelLog;
  port(requesterId: number): DmaPort;
  driveIntx(device: number, pin: number, level: boolean): void;
  /** Bus numbers have changed. */
  forgetRoutes(): void;
}

/** Addresses [first, last] answered by a BAR, or passed on to the bus behind a bridge. */
interface Decode {
  readonly first: number;
  readonly last: number;
  readonly owner: PciFunctionModel;
  readonly bar: number;
  readonly behind: PciBusModel | undefined;
}

const VERSION = 1;

export class PciBusModel {
  readonly bridge: PciBridgeModel | undefined;
  /** Ascending by device and function. */
  readonly functions: PciFunctionModel[] = [];
  readonly #byDevfn: (PciFunctionModel | undefined)[] = new Array<PciFunctionModel | undefined>(256).fill(undefined);
  #root: PciRoot | undefined;
  #number: number | undefined;
  #open = false;
  #decodes: readonly Decode[] | undefined;

  /** `bridge`: the one it lies behind; none for a root bus. */
  constructor(bridge?: PciBridgeModel) {
    this.bridge = bridge;
  }

  /** @throws LinuxError EINVAL for a slot that cannot be, EBUSY for a function that is plugged in already */
  populate(root: PciRoot, slots: readonly PciSlot[]): void {
    this.#root = root;
    for (const slot of slots) this.#plug(root, slot);
    this.functions.sort((a, b) => a.devfn - b.devfn);
    for (const model of this.functions)
      if ((model.devfn & 7) !== 0) this.#byDevfn[model.devfn & ~7]?.setMultiFunction();
    if (!this.bridge) this.refresh();
  }

  /** The bus number; undefined while the bridge above has none. */
  get number(): number | undefined {
    return this.#number;
  }

  get log(): ModelLog | undefined {
    return this.#root?.log;
  }

  at(devfn: number): PciFunctionModel | undefined {
    return this.#byDevfn[devfn];
  }

  /** The port of the id under which requests of `devfn` arrive at the top; undefined where they do not. */
  port(devfn: number): DmaPort | undefined {
    if (!this.#open || this.#number === undefined) return undefined;
    let id: number | undefined = this.#number * 256 + devfn;
    for (let bridge = this.bridge; bridge && id !== undefined; bridge = bridge.above) id = bridge.forwardedId(id);
    return id === undefined ? undefined : this.#root?.port(id);
  }

  /** Takes in the number and the mastering of what lies above, and passes them on downwards. */
  refresh(): void {
    this.#number = this.bridge ? this.bridge.secondaryBus || undefined : this.#root?.firstBus;
    this.#open = this.bridge ? this.bridge.masters && this.bridge.reachesTop : true;
    for (const model of this.functions) model.refreshUpstream();
  }

  /** True while requests from this bus reach the top. */
  get open(): boolean {
    return this.#open;
  }

  /** Called when the bridge's bus numbers were written. */
  renumbered(): void {
    this.#root?.forgetRoutes();
    this.refresh();
  }

  /** Called when a BAR, a window or Memory Space Enable of a function was written. */
  forgetDecode(): void {
    this.#decodes = undefined;
  }

  /** A memory read at a PCI address; ones where nothing answers. */
  read(address: number, size: AccessSize): number {
    const hit = this.#find(address);
    if (!hit) return ABSENT % 2 ** (8 * size);
    if (hit.behind) return hit.behind.read(address, size);
    return hit.owner.readBar(hit.bar, address - hit.first, size);
  }

  write(address: number, value: number, size: AccessSize): void {
    const hit = this.#find(address);
    if (hit?.behind) hit.behind.write(address, value, size);
    else hit?.owner.writeBar(hit.bar, address - hit.first, value, size);
  }

  write64(address: number, lo: number, hi: number): void {
    const hit = this.#find(address);
    if (hit?.behind) hit.behind.write64(address, lo, hi);
    else hit?.owner.writeBar64(hit.bar, address - hit.first, lo, hi);
  }

  /** INTA to INTD of one bus are those of the bus above, turned by the device number. PCI-to-PCI Bridge 1.2, table 9-1 */
  driveIntx(device: number, pin: number, level: boolean): void {
    if (!this.bridge) this.#root?.driveIntx(device, pin, level);
    else this.bridge.passIntx(((pin - 1 + device) % 4) + 1, level);
  }

  save(): State {
    return { version: VERSION, functions: this.functions.map((model) => model.save()) };
  }

  /** @throws LinuxError EINVAL where `saved` is of another version or has other functions */
  restore(saved: unknown): void {
    const { version, functions } = (saved ?? {}) as { version?: unknown; functions?: unknown };
    if (version !== VERSION || !Array.isArray(functions) || functions.length !== this.functions.length)
      throw new LinuxError('EINVAL', `saved PCI bus has not ${this.functions.length} functions`);
    this.functions.forEach((model, i) => model.restore(functions[i] as State));
    this.forgetDecode();
    if (!this.bridge) this.refresh();
  }

  // CHOICE: where two functions decode one address, the lower device and function number answers.
  #find(address: number): Decode | undefined {
    const decodes = (this.#decodes ??= this.#decode());
    for (let i = 0; i < decodes.length; i++)
      if (address >= decodes[i].first && address <= decodes[i].last) return decodes[i];
    return undefined;
  }

  #decode(): Decode[] {
    const decodes: Decode[] = [];
    for (const owner of this.functions) {
      if (!owner.decodesMemory) continue;
      for (const { space, base, sizeBytes, index } of owner.bars)
        if (space === 'memory')
          decodes.push({ first: base, last: base + sizeBytes - 1, owner, bar: index, behind: undefined });
      for (const window of owner.memoryWindows) decodes.push({ ...window, owner, bar: -1, behind: owner.behind });
    }
    return decodes;
  }

  #plug(root: PciRoot, slot: PciSlot): void {
    const { device, function: fn = 0, model, behind = [] } = slot;
    if (!Number.isInteger(device) || device < 0 || device > 31 || !Number.isInteger(fn) || fn < 0 || fn > 7)
      throw new LinuxError('EINVAL', `no slot ${device}.${fn}`);
    const devfn = device * 8 + fn;
    const where = `${hex(device, 2)}.${fn}`;
    if (this.#byDevfn[devfn]) throw new LinuxError('EINVAL', `slot ${where} is taken`);
    if (device !== 0 && this.#hasOneDevice) throw new LinuxError('EINVAL', `slot ${where}: a link has device 0 only`);
    model.plug(this, devfn);
    this.#byDevfn[devfn] = model;
    this.functions.push(model);
    if (model.behind) model.behind.populate(root, behind);
    else if (behind.length > 0) throw new LinuxError('EINVAL', `slot ${where}: nothing can be behind an endpoint`);
  }

  get #hasOneDevice(): boolean {
    const type = this.bridge?.portType;
    return type === DEVICE_PORT_TYPE.ROOT_PORT || type === DEVICE_PORT_TYPE.DOWNSTREAM_PORT;
  }
}
