// SPDX-License-Identifier: Apache-2.0
// The configuration space of one function as software sees it, and the capabilities in it.

import type { AccessSize } from '@irqkit/core';
import {
  ABSENT,
  CAP_ID,
  CLASS_CODE,
  CONFIG_SPACE_BYTES,
  Capabilities_Pointer,
  Capability,
  Class_Revision,
  Extended_Capability,
  Status,
} from '../regs.js';
import type { ConfigRegister } from '../regs.js';
import type { Ecam } from './ecam.js';

// @linux PCI_FIND_CAP_TTL
const MAX_CAPABILITIES = 48;
const MAX_EXTENDED_CAPABILITIES = (CONFIG_SPACE_BYTES.EXTENDED - CONFIG_SPACE_BYTES.CONVENTIONAL) / 8;

export class FunctionConfig {
  readonly #ecam: Ecam;
  readonly #bus: number;
  readonly #devfn: number;
  #extended: boolean | undefined;

  constructor(ecam: Ecam, bus: number, devfn: number) {
    this.#ecam = ecam;
    this.#bus = bus;
    this.#devfn = devfn;
  }

  read(offset: number, size: AccessSize): number {
    return this.#ecam.read(this.#bus, this.#devfn, offset, size);
  }

  write(offset: number, value: number, size: AccessSize): void {
    this.#ecam.write(this.#bus, this.#devfn, offset, value, size);
  }

  get({ offset, size }: ConfigRegister, base = 0): number {
    return this.read(base + offset, size);
  }

  set({ offset, size }: ConfigRegister, value: number, base = 0): void {
    this.write(base + offset, value, size);
  }

  /** Where the first capability with that id lies. @linux pci_find_capability */
  findCapability(id: number): number | undefined {
    if (!Status.Capabilities_List(this.get(Status))) return undefined;
    let offset = this.get(Capabilities_Pointer) & ~3;
    for (let left = MAX_CAPABILITIES; left > 0 && offset >= Capability.firstOffset; left--) {
      const header = this.read(offset, 2);
      if (Capability.ID(header) === 0xff) return undefined;
      if (Capability.ID(header) === id) return offset;
      offset = Capability.Next(header) & ~3;
    }
    return undefined;
  }

  /** Where the first extended capability with that id lies. @linux pci_find_ext_capability */
  findExtendedCapability(id: number): number | undefined {
    if (!this.#isExtended) return undefined;
    let offset: number = Extended_Capability.firstOffset;
    for (let left = MAX_EXTENDED_CAPABILITIES; left > 0 && offset >= Extended_Capability.firstOffset; left--) {
      const header = this.read(offset, 4);
      if (header === 0) return undefined;
      if (Extended_Capability.ID(header) === id) return offset;
      offset = Extended_Capability.Next(header) & ~3;
    }
    return undefined;
  }

  // Beyond byte 255 lies something for PCI Express functions and host bridges only. @linux pci_cfg_space_size
  get #isExtended(): boolean {
    if (this.#extended === undefined) {
      const classCode = Class_Revision.Class_Code(this.get(Class_Revision));
      const isHostBridge = classCode >>> 8 === CLASS_CODE.HOST_BRIDGE >>> 8;
      const isExpress = this.findCapability(CAP_ID.EXPRESS) !== undefined;
      this.#extended = (isHostBridge || isExpress) && this.read(CONFIG_SPACE_BYTES.CONVENTIONAL, 4) !== ABSENT;
    }
    return this.#extended;
  }
}
