// SPDX-License-Identifier: Apache-2.0
// QEMU's educational device: an ALU of sorts, an interrupt register and a DMA engine. QEMU docs/specs/edu.rst; what it does
// with other widths and offsets as hw/misc/edu.c of QEMU 7.2 behaves.

import { LinuxError } from '@irqkit/core';
import type { AccessSize } from '@irqkit/core';
import { configImage } from './config-image.js';
import { PciEndpoint } from './pci-endpoint.js';
import { restoreArray } from './saved-array.js';

const REGISTER = {
  IDENTIFICATION: 0x00,
  LIVENESS: 0x04,
  FACTORIAL: 0x08,
  STATUS: 0x20,
  INTERRUPT_STATUS: 0x24,
  INTERRUPT_RAISE: 0x60,
  INTERRUPT_ACKNOWLEDGE: 0x64,
  DMA_SOURCE: 0x80,
  DMA_DESTINATION: 0x88,
  DMA_COUNT: 0x90,
  DMA_COMMAND: 0x98,
} as const;
const IDENTIFICATION = 0x0100_00ed;
const STATUS_INTERRUPT = 0x80;
const COMMAND = { RUN: 1, TO_MEMORY: 2, INTERRUPT: 4 } as const;
const INTERRUPT = { FACTORIAL: 0x001, DMA: 0x100 } as const;
const BUFFER = { base: 0x4_0000, sizeBytes: 4096 } as const;
const BAR_BYTES = 0x10_0000;
const NOTHING = 0xffff_ffff;

export interface EduOptions {
  /** How many address bits its DMA engine drives: 28 as QEMU's default. */
  readonly dmaAddressBits?: number;
}

export class EduLike extends PciEndpoint {
  readonly #dmaLimit: number;
  readonly #buffer = new Uint8Array(BUFFER.sizeBytes);
  #liveness = 0;
  #factorial = 0;
  #status = 0;
  #interrupts = 0;
  #source = 0;
  #destination = 0;
  #count = 0;
  #command = 0;

  constructor({ dmaAddressBits = 28 }: EduOptions = {}) {
    const image = configImage({
      vendorId: 0x1234,
      deviceId: 0x11e8,
      classCode: 0x00ff00,
      revisionId: 0x10,
      interruptPin: 1,
      msi: { vectors: 1 },
    });
    super(image, [{ index: 0, sizeBytes: BAR_BYTES, space: 'memory' }]);
    this.#dmaLimit = 2 ** dmaAddressBits;
  }

  protected override readRegister(_bar: number, offset: number, size: AccessSize): number {
    if (size !== 4) return NOTHING % 2 ** (8 * size);
    switch (offset) {
      case REGISTER.IDENTIFICATION:
        return IDENTIFICATION;
      case REGISTER.LIVENESS:
        return this.#liveness;
      case REGISTER.FACTORIAL:
        return this.#factorial;
      case REGISTER.STATUS:
        return this.#status;
      case REGISTER.INTERRUPT_STATUS:
        return this.#interrupts;
      case REGISTER.DMA_SOURCE:
        return this.#source % 2 ** 32;
      case REGISTER.DMA_DESTINATION:
        return this.#destination % 2 ** 32;
      case REGISTER.DMA_COUNT:
        return this.#count % 2 ** 32;
      case REGISTER.DMA_COMMAND:
        return this.#command >>> 0;
      default:
        return NOTHING;
    }
  }

  protected override writeRegister(_bar: number, offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return;
    switch (offset) {
      case REGISTER.LIVENESS:
        this.#liveness = ~value >>> 0;
        break;
      case REGISTER.FACTORIAL:
        this.#factorial = factorial(value);
        if (this.#status & STATUS_INTERRUPT) this.#raise(INTERRUPT.FACTORIAL);
        break;
      case REGISTER.STATUS:
        this.#status = value & STATUS_INTERRUPT;
        break;
      case REGISTER.INTERRUPT_RAISE:
        this.#raise(value);
        break;
      case REGISTER.INTERRUPT_ACKNOWLEDGE:
        this.#interrupts = (this.#interrupts & ~value) >>> 0;
        if (this.#interrupts === 0) this.setIntx(false);
        break;
      default:
        this.writeBar64(0, offset, value, 0);
    }
  }

  /** Only the DMA registers take 64 bits. */
  override writeBar64(_bar: number, offset: number, lo: number, hi: number): void {
    const value = hi * 2 ** 32 + lo;
    switch (offset) {
      case REGISTER.DMA_SOURCE:
        this.#source = value;
        break;
      case REGISTER.DMA_DESTINATION:
        this.#destination = value;
        break;
      case REGISTER.DMA_COUNT:
        this.#count = value;
        break;
      case REGISTER.DMA_COMMAND:
        if (lo & COMMAND.RUN) this.#runDma(lo);
        break;
    }
  }

  // The engine is done before the write that starts it returns.
  #runDma(command: number): void {
    const toMemory = (command & COMMAND.TO_MEMORY) !== 0;
    const own = (toMemory ? this.#source : this.#destination) - BUFFER.base;
    const address = (toMemory ? this.#destination : this.#source) % this.#dmaLimit;
    if (own < 0 || own + this.#count > BUFFER.sizeBytes)
      this.bus?.log?.guest('edu: DMA of %d bytes is not within its buffer', this.#count);
    else {
      const bytes = this.#buffer.subarray(own, own + this.#count);
      if (toMemory) this.dmaStore(address, bytes);
      else this.dmaLoad(address, bytes);
    }
    this.#command = command & ~COMMAND.RUN;
    if (command & COMMAND.INTERRUPT) this.#raise(INTERRUPT.DMA);
  }

  #raise(bits: number): void {
    this.#interrupts = (this.#interrupts | bits) >>> 0;
    if (this.#interrupts === 0) return;
    if (this.usesMessages) this.raise(0);
    else this.setIntx(true);
  }

  protected override saveRegisters(): unknown {
    return {
      registers: [this.#liveness, this.#factorial, this.#status, this.#interrupts],
      dma: [this.#source, this.#destination, this.#count, this.#command],
      buffer: this.#buffer.slice(),
    };
  }

  protected override restoreRegisters(saved: unknown): void {
    const { registers, dma, buffer } = (saved ?? {}) as Record<string, unknown>;
    if (!isNumbers(registers, 4) || !isNumbers(dma, 4))
      throw new LinuxError('EINVAL', 'saved edu registers are of another shape');
    restoreArray(this.#buffer, buffer, 'edu buffer');
    [this.#liveness, this.#factorial, this.#status, this.#interrupts] = registers;
    [this.#source, this.#destination, this.#count, this.#command] = dma;
  }
}

/** A device that computes factorials, moves memory and raises interrupts when told to. */
export function eduLike(options: EduOptions = {}): EduLike {
  return new EduLike(options);
}

function isNumbers(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((item) => typeof item === 'number');
}

// 34! has 32 factors of two: from there on nothing is left in 32 bits.
function factorial(n: number): number {
  if (n > 33) return 0;
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product = Math.imul(product, factor);
  return product >>> 0;
}
