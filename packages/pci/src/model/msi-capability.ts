// SPDX-License-Identifier: Apache-2.0
// The MSI capability: one message, of which the low data bits name the vector. PCI Express Base Specification 6.1.4, 7.7.1.

import {
  MSI_LAYOUT,
  MSI_MULTIPLE_MESSAGE_MAX,
  MSI_Message_Address,
  MSI_Message_Control,
  MSI_Message_Upper_Address,
} from '../regs.js';
import type { ConfigRegister } from '../regs.js';
import type { ConfigRange, ConfigSpace } from './config-space.js';
import type { Upstream } from './upstream.js';

const ADDRESS_LIMIT_HIGH = 2 ** 20;

export class MsiCapability {
  readonly #config: ConfigSpace;
  readonly #at: number;
  readonly #upstream: Upstream;
  readonly #is64: boolean;
  readonly #data: ConfigRegister;
  readonly #mask: ConfigRegister | undefined;
  readonly #pending: ConfigRegister | undefined;
  #enabled = false;
  #nrVectors = 1;
  // Never a double field: V8 would box the number again for every message.
  #address: number | undefined = undefined;
  #message = 0;
  #masked = 0;

  constructor(config: ConfigSpace, at: number, upstream: Upstream) {
    this.#config = config;
    this.#at = at;
    this.#upstream = upstream;
    const control = config.get(MSI_Message_Control, at);
    const capable = Math.min(MSI_Message_Control.Multiple_Message_Capable(control), MSI_MULTIPLE_MESSAGE_MAX);
    this.#is64 = MSI_Message_Control.Address_64bit_Capable(control) === 1;
    const layout = MSI_LAYOUT[this.#is64 ? 1 : 0];
    const maskable = MSI_Message_Control.Per_Vector_Masking_Capable(control) === 1;
    this.#data = { offset: layout.Message_Data, size: 2 };
    this.#mask = maskable ? { offset: layout.Mask_Bits, size: 4 } : undefined;
    this.#pending = maskable ? { offset: layout.Pending_Bits, size: 4 } : undefined;
    const { MSI_Enable, Multiple_Message_Enable } = MSI_Message_Control;
    config.allow(MSI_Message_Control, MSI_Enable.mask | Multiple_Message_Enable.mask, at);
    config.allow(MSI_Message_Address, MSI_Message_Address.address.mask, at);
    if (this.#is64) config.allow(MSI_Message_Upper_Address, 0xffff_ffff, at);
    config.allow(this.#data, 0xffff, at);
    if (this.#mask) config.allow(this.#mask, 2 ** (2 ** capable) - 1, at);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Bytes of the capability in configuration space. */
  get range(): ConfigRange {
    const sizeBytes = this.#pending ? this.#pending.offset + 4 : this.#data.offset + 2;
    return { offset: this.#at, sizeBytes };
  }

  /** Sends vector `vector`, or remembers it while it is masked. False where no message went out. */
  raise(vector: number): boolean {
    if (!this.#enabled) return false;
    // CHOICE: a vector beyond those enabled goes out as the one that shares its low bits.
    const offset = vector & (this.#nrVectors - 1);
    if (this.#pending && (this.#masked >>> offset) & 1) {
      this.#config.set(this.#pending, this.#config.get(this.#pending, this.#at) | (1 << offset), this.#at);
      return false;
    }
    return this.#send(offset);
  }

  /** Takes in what software has programmed, and sends what it has just unmasked. */
  latch(): void {
    const control = this.#config.get(MSI_Message_Control, this.#at);
    const multiple = Math.min(
      MSI_Message_Control.Multiple_Message_Enable(control),
      MSI_Message_Control.Multiple_Message_Capable(control),
      MSI_MULTIPLE_MESSAGE_MAX,
    );
    this.#enabled = MSI_Message_Control.MSI_Enable(control) === 1;
    this.#nrVectors = 2 ** multiple;
    const low = this.#config.get(MSI_Message_Address, this.#at);
    const high = this.#is64 ? this.#config.get(MSI_Message_Upper_Address, this.#at) : 0;
    this.#address = high < ADDRESS_LIMIT_HIGH ? high * 2 ** 32 + low : undefined;
    this.#message = this.#config.get(this.#data, this.#at);
    this.#masked = this.#mask ? this.#config.get(this.#mask, this.#at) : 0;
  }

  /** Sends what waits and is no longer masked. */
  flush(): void {
    if (!this.#enabled || !this.#pending) return;
    let pending = this.#config.get(this.#pending, this.#at);
    for (let vector = 0; vector < this.#nrVectors; vector++) {
      if (!((pending >>> vector) & 1) || (this.#masked >>> vector) & 1) continue;
      pending &= ~(1 << vector);
      this.#config.set(this.#pending, pending >>> 0, this.#at);
      this.#send(vector);
    }
  }

  // The message keeps the high data bits; an address beyond 52 bits reaches nothing.
  #send(vector: number): boolean {
    const address = this.#address;
    if (address === undefined) return false;
    return this.#upstream.write32(address, (this.#message & ~(this.#nrVectors - 1)) | vector);
  }
}
