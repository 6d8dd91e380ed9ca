// SPDX-License-Identifier: Apache-2.0
// What a driver sees of the hardware: MMIO regions, DMA memory and the interrupt wires of the processors. Models, QEMU
// and a recording all stand behind the same interface.

import type { PhysAddr } from './address.js';

/** A range of physical addresses. */
export interface Region {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
}

/** Access widths in bytes. A 64-bit register is a pair of words (`write64`) or two accesses. */
export type AccessSize = 1 | 2 | 4;

/** A mapped register frame. Offsets are in bytes from its base; values are unsigned. */
export interface MmioRegion extends Region {
  /** The physical address of the register at `offset`. */
  at(offset: number): PhysAddr;
  read(offset: number, size: AccessSize): number;
  write(offset: number, value: number, size: AccessSize): void;
  /** One 64-bit store, or the low then the high word where the bus has none. */
  write64(offset: number, lo: number, hi: number): void;
}

/** Memory that devices can reach, as the driver that owns it sees it. */
export interface DmaBuffer extends Region {
  /** The bytes themselves: stores are seen by models at once. */
  readonly bytes: Uint8Array;
  /** The same bytes as little-endian words; `sizeBytes` is a multiple of 4. */
  readonly words: Uint32Array;
}

/** The step of DmaMemory's sizes and alignments. */
export const DMA_PAGE_BYTES = 4096;

export interface DmaMemory {
  /**
   * Zeroed memory of `sizeBytes` rounded up to a page, at a multiple of `align` (a power of two, 4096 at least).
   * @throws LinuxError ENOMEM
   */
  alloc(sizeBytes: number, align?: number): DmaBuffer;
  /** @throws LinuxError EINVAL for a buffer that is not allocated here. */
  free(buffer: DmaBuffer): void;
}

/**
 * System registers of the processor that is current. A register is numbered by its encoding,
 * op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2, as in the opcode of MRS and MSR (`sysreg` makes it).
 */
export interface SystemRegisters {
  /** The low word; the registers of a GICv3 CPU interface that are read have no more. */
  read(register: number): number;
  /** A 64-bit write; `hi` is 0 where it is left out. */
  write(register: number, lo: number, hi?: number): void;
}

/** A system register's number from its encoding: `sysreg(3, 0, 12, 12, 0)` is ICC_IAR1_EL1. */
export function sysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

/** The processors: who makes an access, and the interrupt input of each. */
export interface CpuPort {
  /** How many there are, numbered from 0 in the order of the firmware's /cpus. */
  readonly count: number;
  /** The one whose code runs now: banked registers answer for it. */
  readonly current: number;
  /** MPIDR affinity bits of each: Aff3 at [39:32], Aff2 [23:16], Aff1 [15:8], Aff0 [7:0]. */
  readonly mpidr: readonly number[];
  /** Runs `work` as code of that processor; on the way out, also by an exception, the former one is current again. */
  runOn<T>(cpu: number, work: () => T): T;
  /** System registers of the current processor; undefined where none can be reached. */
  readonly sysregs?: SystemRegisters;
  /** True while the processor's IRQ input is asserted. */
  irqAsserted(cpu: number): boolean;
  /**
   * Calls back when an IRQ input becomes asserted, never from inside an access: a signal raised there latches and is
   * delivered once the outermost access has ended. Returns the removal.
   */
  onIrq(callback: (cpu: number) => void): () => void;
}

/** What `createHost` runs on. */
export interface Bus {
  /** @throws LinuxError ENXIO where nothing answers at `region`. */
  map(region: Region): MmioRegion;
  unmap(region: MmioRegion): void;
  readonly memory: DmaMemory;
  readonly cpus: CpuPort;
}
