// SPDX-License-Identifier: Apache-2.0
// One mapping of a container: the memory of a process that it pins, counted as locked. Source: the behaviour of Linux 6.1
// vfio_pin_pages_remote, vfio_lock_acct and, as in its stable releases, vfio_change_dma_owner.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { PAGE_BYTES } from '../process/address-space.js';
import type { PinnedRun } from '../process/address-space.js';
import type { Process } from '../process/process.js';
import type { IovaSpan } from './dma-list.js';

export interface DmaRequest {
  readonly iova: number;
  readonly sizeBytes: number;
  readonly vaddr: number;
  /** IOMMU_PROT bits. */
  readonly prot: number;
  readonly write: boolean;
}

/** @linux struct vfio_dma */
export class Dma implements IovaSpan {
  readonly iova: number;
  readonly sizeBytes: number;
  readonly prot: number;
  vaddr: number;
  /** User space has taken its address back, and has yet to give another. */
  vaddrInvalid = false;
  /** Ascending; they cover the mapping once it is there. */
  readonly runs: PinnedRun[] = [];
  readonly #write: boolean;
  #owner: Process;
  /** Whether the owner had CAP_IPC_LOCK when it became that. */
  #ipcLock: boolean;
  #lockedPages = 0;

  constructor({ iova, sizeBytes, vaddr, prot, write }: DmaRequest, owner: Process) {
    this.iova = iova;
    this.sizeBytes = sizeBytes;
    this.vaddr = vaddr;
    this.prot = prot;
    this.#write = write;
    this.#owner = owner;
    this.#ipcLock = owner.ipcLock;
  }

  /** True for its owner, and any process that shares the address space. */
  belongsTo({ mm }: Process): boolean {
    return this.#owner.mm === mm;
  }

  /**
   * Pins the next pages that are contiguous, `maxBytes` at most.
   * @throws LinuxError EFAULT where there are none, ENOMEM beyond RLIMIT_MEMLOCK; nothing is pinned then
   */
  pinNext(doneBytes: number, maxBytes: number): PinnedRun {
    const atMost = Math.min(maxBytes, this.sizeBytes - doneBytes);
    const run = this.#owner.mm.pin(this.vaddr + doneBytes, atMost, this.#write);
    try {
      lock(this.#owner, pagesOf(run), this.#ipcLock);
    } catch (error) {
      run.unpin();
      throw error;
    }
    this.#lockedPages += pagesOf(run);
    this.runs.push(run);
    return run;
  }

  /** Takes the last run back. */
  unpinLast(): void {
    const run = this.runs.pop();
    if (run) this.#unpin(run);
  }

  unpinAll(): void {
    while (this.runs.length > 0) this.unpinLast();
  }

  /**
   * From now on it is `owner`'s memory at `vaddr` that counts.
   * @throws LinuxError ENOMEM where the owner may not lock that much @linux vfio_change_dma_owner
   */
  changeOwner(owner: Process, vaddr: number): void {
    if (owner.mm !== this.#owner.mm) {
      lock(owner, this.#lockedPages, owner.ipcLock);
      this.#owner.mm.lockedPages -= this.#lockedPages;
      this.#owner = owner;
      this.#ipcLock = owner.ipcLock;
    }
    this.vaddr = vaddr;
    this.vaddrInvalid = false;
  }

  #unpin(run: PinnedRun): void {
    this.#lockedPages -= pagesOf(run);
    this.#owner.mm.lockedPages -= pagesOf(run);
    run.unpin();
  }
}

function pagesOf({ reserved, sizeBytes }: PinnedRun): number {
  return reserved ? 0 : sizeBytes / PAGE_BYTES;
}

function lock({ mm, memlockBytes }: Process, nrPages: number, ipcLock: boolean): void {
  const limit = Math.floor(memlockBytes / PAGE_BYTES);
  if (!ipcLock && nrPages > 0 && mm.lockedPages + nrPages > limit)
    throw new LinuxError('ENOMEM', `RLIMIT_MEMLOCK (${hex(memlockBytes)}) exceeded`);
  mm.lockedPages += nrPages;
}
