// SPDX-License-Identifier: Apache-2.0
// One Base Address register. PCI Express Base Specification 7.5.1.2.1.

import { highWord, isPowerOfTwo, lowWord } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { BASE_ADDRESS_TYPE, Base_Address } from '../regs.js';
import type { ConfigRegister } from '../regs.js';
import type { ConfigSpace } from './config-space.js';

export interface BarSpec {
  /** The first of its registers: 0 to 5, on a bridge 0 or 1. */
  readonly index: number;
  /** A power of two. */
  readonly sizeBytes: number;
  readonly space: 'memory' | 'io';
  /** Takes the next register too. */
  readonly is64?: boolean;
  readonly prefetchable?: boolean;
}

const MIN_BYTES = { memory: 16, io: 4 } as const;

export class Bar {
  readonly index: number;
  readonly sizeBytes: number;
  readonly space: 'memory' | 'io';
  readonly #is64: boolean;
  readonly #config: ConfigSpace;
  readonly #low: ConfigRegister;
  readonly #high: ConfigRegister;

  /** Makes the register in `config`. @throws LinuxError EINVAL for a size or index that no register can have */
  constructor(config: ConfigSpace, spec: BarSpec, nrRegisters: number) {
    const { index, sizeBytes, space, is64 = false, prefetchable = false } = spec;
    const last = is64 ? index + 1 : index;
    const limit = is64 ? 2 ** 52 : 2 ** 31;
    if (!Number.isInteger(index) || index < 0 || last >= nrRegisters || (is64 && space === 'io'))
      throw new LinuxError('EINVAL', `BAR ${index}: the header has ${nrRegisters} registers`);
    if (!isPowerOfTwo(sizeBytes) || sizeBytes < MIN_BYTES[space] || sizeBytes > limit)
      throw new LinuxError('EINVAL', `BAR ${index}: ${sizeBytes} bytes of ${space}`);
    this.index = index;
    this.sizeBytes = sizeBytes;
    this.space = space;
    this.#is64 = is64;
    this.#config = config;
    this.#low = { offset: Base_Address.offset + 4 * index, size: 4 };
    this.#high = { offset: Base_Address.offset + 4 * index + 4, size: 4 };
    const address = space === 'io' ? Base_Address.io : Base_Address.memory;
    config.allow(this.#low, (address.mask & ~lowWord(sizeBytes - 1)) >>> 0);
    if (is64) config.allow(this.#high, ~highWord(sizeBytes - 1) >>> 0);
    const type = Base_Address.Type.set(0, is64 ? BASE_ADDRESS_TYPE.BITS_64 : BASE_ADDRESS_TYPE.BITS_32);
    const memory = Base_Address.Prefetchable.set(type, prefetchable ? 1 : 0);
    config.set(this.#low, space === 'io' ? Base_Address.IO_Space.mask : memory);
  }

  /** The PCI address it decodes now. Not below 2^53 where software has written nonsense. */
  get base(): number {
    const address = this.space === 'io' ? Base_Address.io : Base_Address.memory;
    const low = (this.#config.get(this.#low) & address.mask) >>> 0;
    return this.#is64 ? this.#config.get(this.#high) * 2 ** 32 + low : low;
  }
}
