// SPDX-License-Identifier: Apache-2.0
// The virtual memory of a process: what is mapped where, what user space may touch, and what is pinned for devices.
// Source: the behaviour of Linux 6.1 mmap, munmap, mprotect, pin_user_pages.

import { hex, isAligned } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { PhysAddr } from '@irqkit/core';
import type { DeviceMemory } from './open-file.js';
import { allocPiece, devicePiece } from './physical-memory.js';
import type { PhysicalMemory, Piece } from './physical-memory.js';
import { VmaList } from './vma-list.js';
import type { Vma } from './vma-list.js';

/** In bytes. @linux PAGE_SIZE */
export const PAGE_BYTES = 0x1000;

/** Addresses from here on are the kernel's. @linux TASK_SIZE of 48-bit user space */
const USER_END = 2 ** 48;

/** The lowest address that is given out. @linux vm.mmap_min_addr */
const LOWEST = 0x1_0000;

/** Neither is PROT_NONE. */
export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
}

export interface Mmap {
  readonly sizeBytes: number;
  /** Where, at a multiple of the unit; somewhere free where missing. */
  readonly vaddr?: number;
  /** Read and write where missing. */
  readonly protection?: Protection;
  /**
   * Memory is taken in runs of so many bytes, each at a multiple of its size: 0x1000 for scattered pages, 2 MiB for huge ones.
   * One run for all where missing.
   */
  readonly unitBytes?: number;
}

/** Pinned memory that is contiguous for devices. */
export interface PinnedRun {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  /** True for device memory: it does not count as locked. */
  readonly reserved: boolean;
  unpin(): void;
}

export class AddressSpace {
  /** Counted against RLIMIT_MEMLOCK. @linux mm_struct.locked_vm */
  lockedPages = 0;
  readonly #memory: PhysicalMemory;
  readonly #vmas = new VmaList();

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /**
   * Anonymous memory, zeroed, there from the start. @returns its first address
   * @throws LinuxError EINVAL for no run of pages, EEXIST where `vaddr` is taken, ENOMEM
   */
  mmap({ sizeBytes, vaddr, protection = { read: true, write: true }, unitBytes = sizeBytes }: Mmap): number {
    const align = unitBytes === sizeBytes ? PAGE_BYTES : unitBytes;
    const start = this.#place(sizeBytes, align, vaddr);
    if (!isAligned(sizeBytes, unitBytes))
      throw fault('EINVAL', `${hex(sizeBytes)} bytes in units of ${hex(unitBytes)}`);
    const added: Vma[] = [];
    try {
      for (let at = start; at < start + sizeBytes; at += unitBytes)
        added.push(this.#add(at, allocPiece(this.#memory, unitBytes, align), protection));
    } catch (error) {
      for (const vma of added) this.munmap(vma.start, unitBytes);
      throw error;
    }
    return start;
  }

  /** A device's memory, as mmap of its file gives it. @throws LinuxError as mmap does */
  mapDevice(memory: DeviceMemory, protection: Protection, vaddr?: number): number {
    const start = this.#place(memory.sizeBytes, PAGE_BYTES, vaddr);
    this.#add(start, devicePiece(memory), protection);
    return start;
  }

  /** Holes in the range are no error. Memory that is pinned is freed when it no longer is. @throws LinuxError EINVAL */
  munmap(vaddr: number, sizeBytes: number): void {
    this.#checkRange(vaddr, sizeBytes);
    for (const vma of this.#vmas.cut(vaddr, sizeBytes)) {
      this.#vmas.remove(vma);
      vma.piece.put();
    }
  }

  /** @throws LinuxError EINVAL; ENOMEM where a part is not mapped */
  mprotect(vaddr: number, sizeBytes: number, protection: Protection): void {
    this.#checkRange(vaddr, sizeBytes);
    const vmas = this.#vmas.cut(vaddr, sizeBytes);
    const mapped = vmas.reduce((sum, { start, end }) => sum + end - start, 0);
    if (mapped < sizeBytes) throw fault('ENOMEM', `${hex(vaddr)}+${hex(sizeBytes)} has holes`);
    for (const vma of vmas) Object.assign(vma, protection);
  }

  /**
   * Pins up to `maxBytes` from `vaddr` on: as much as is contiguous in physical memory and allows the access.
   * @throws LinuxError EFAULT where the first page is not there or does not allow it @linux vaddr_get_pfns
   */
  pin(vaddr: number, maxBytes: number, write: boolean): PinnedRun {
    const first = this.#accessible(vaddr, write);
    const base = (first.piece.base + first.offset + (vaddr - first.start)) as PhysAddr;
    const pieces = [first.piece];
    let sizeBytes = Math.min(first.end - vaddr, maxBytes);
    while (sizeBytes < maxBytes) {
      const next = this.#vmas.at(vaddr + sizeBytes);
      if (!next || !allows(next, write) || next.piece.base + next.offset !== base + sizeBytes) break;
      if ((next.piece.bytes === undefined) !== (first.piece.bytes === undefined)) break;
      pieces.push(next.piece);
      sizeBytes += Math.min(next.end - next.start, maxBytes - sizeBytes);
    }
    for (const piece of pieces) piece.get();
    const unpin = (): void => pieces.forEach((piece) => piece.put());
    return { base, sizeBytes, reserved: first.piece.bytes === undefined, unpin };
  }

  /** What a load of the process sees. @throws LinuxError EFAULT @linux copy_from_user */
  read(vaddr: number, into: Uint8Array): void {
    this.#copy(vaddr, into.length, false, (bytes, at) => into.set(bytes, at));
  }

  /** A store of the process, or the kernel's for it. @throws LinuxError EFAULT, with what came before it stored @linux copy_to_user */
  write(vaddr: number, from: Uint8Array): void {
    this.#copy(vaddr, from.length, true, (bytes, at) => bytes.set(from.subarray(at, at + bytes.length)));
  }

  /** Where a mapped address is in physical memory. */
  physOf(vaddr: number): PhysAddr | undefined {
    const vma = this.#vmas.at(vaddr);
    return vma && ((vma.piece.base + vma.offset + (vaddr - vma.start)) as PhysAddr);
  }

  /** Everything goes; what is pinned stays in memory. @linux exit_mmap */
  exit(): void {
    for (const vma of this.#vmas.clear()) vma.piece.put();
  }

  #add(start: number, piece: Piece, protection: Protection): Vma {
    const vma: Vma = { start, end: start + piece.sizeBytes, piece, offset: 0, ...protection };
    piece.get();
    this.#vmas.insert(vma);
    return vma;
  }

  #place(sizeBytes: number, align: number, vaddr?: number): number {
    const start = vaddr ?? this.#vmas.findFree(sizeBytes, align, LOWEST);
    this.#checkRange(start, sizeBytes);
    if (!isAligned(start, align) || start + sizeBytes > USER_END)
      throw fault('EINVAL', `no place for ${hex(sizeBytes)} bytes at ${hex(start)}`);
    if (this.#vmas.overlaps(start, sizeBytes)) throw fault('EEXIST', `${hex(start)}+${hex(sizeBytes)} is taken`);
    return start;
  }

  #checkRange(vaddr: number, sizeBytes: number): void {
    if (sizeBytes <= 0 || !isAligned(vaddr, PAGE_BYTES) || !isAligned(sizeBytes, PAGE_BYTES))
      throw fault('EINVAL', `${hex(vaddr)}+${hex(sizeBytes)} is no run of pages`);
  }

  #accessible(vaddr: number, write: boolean): Vma {
    const vma = this.#vmas.at(vaddr);
    if (vma && allows(vma, write)) return vma;
    throw fault('EFAULT', `${hex(vaddr)} ${vma ? 'does not allow it' : 'is not mapped'}`);
  }

  #copy(vaddr: number, sizeBytes: number, write: boolean, each: (bytes: Uint8Array, at: number) => void): void {
    for (let done = 0; done < sizeBytes;) {
      const vma = this.#accessible(vaddr + done, write);
      // CHOICE: the kernel does not copy to or from device memory.
      if (!vma.piece.bytes) throw fault('EFAULT', `${hex(vaddr + done)} is device memory`);
      const from = vma.offset + (vaddr + done - vma.start);
      const count = Math.min(sizeBytes - done, vma.end - (vaddr + done));
      each(vma.piece.bytes.subarray(from, from + count), done);
      done += count;
    }
  }
}

function allows(vma: Vma, write: boolean): boolean {
  return write ? vma.write : vma.read;
}

function fault(code: 'EFAULT' | 'EINVAL' | 'EEXIST' | 'ENOMEM', message: string): LinuxError {
  return new LinuxError(code, `mm: ${message}`);
}
