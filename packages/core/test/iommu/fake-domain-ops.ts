// SPDX-License-Identifier: Apache-2.0
// A driver's half of a domain over a Map: entries as they were mapped, what is still in the IOTLB, and what was asked of it.

import { LinuxError } from '@irqkit/core';
import type { IommuDomainOps, Iova, IovaRange, IotlbGather, PhysAddr } from '@irqkit/core';
import { iova } from '@irqkit/core';

export const KIB4 = 0x1000;
export const KIB64 = 0x1_0000;
export const MIB2 = 0x20_0000;
export const GIB = 0x4000_0000;

interface Entry {
  readonly pa: number;
  readonly pageBytes: number;
  readonly prot: number;
}

export interface FakeOptions {
  readonly pageSizes?: readonly number[];
  readonly aperture?: IovaRange;
}

export class FakeDomainOps implements IommuDomainOps {
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  /** By the first address of each entry. */
  readonly entries = new Map<number, Entry>();
  /** `map 0x1000 x3`, `unmap …`, `sync 0x1000-0x3fff`, `flush`, `free`. */
  readonly journal: string[] = [];
  /** First addresses of entries that are gone, but may still be translated. */
  readonly stale = new Set<number>();
  /** Fails that many mapPages calls from now on: 1 the next one. */
  failMapIn = Infinity;

  constructor({
    pageSizes = [KIB4, MIB2, GIB],
    aperture = { first: iova(0), last: iova(2 ** 48 - 1) },
  }: FakeOptions = {}) {
    this.pageSizes = pageSizes;
    this.aperture = aperture;
  }

  mapPages(at: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    if (--this.failMapIn === 0) throw new LinuxError('ENOMEM', '/smmu: no table page');
    if (at % pageBytes !== 0 || pa % pageBytes !== 0 || !this.pageSizes.includes(pageBytes) || count < 1)
      throw new Error(`mapPages ${at} ${pa} ${pageBytes} ${count}`);
    for (let i = 0; i < count; i++)
      if (this.iovaToPhys((at + i * pageBytes) as Iova) !== undefined) throw new LinuxError('EEXIST', '/smmu: mapped');
    for (let i = 0; i < count; i++) {
      this.entries.set(at + i * pageBytes, { pa: pa + i * pageBytes, pageBytes, prot });
    }
    this.journal.push(`map ${hex(at)} ${hex(pageBytes)} x${count}`);
  }

  unmapPages(at: Iova, pageBytes: number, count: number, gather: IotlbGather): number {
    let done = 0;
    while (done < pageBytes * count) {
      const first = at + done;
      this.#split(first, pageBytes * count - done);
      const entry = this.entries.get(first);
      if (!entry) break;
      this.entries.delete(first);
      this.stale.add(first);
      if (!gather.add(first as Iova, entry.pageBytes, entry.pageBytes)) {
        this.iotlbSync(gather);
        gather.add(first as Iova, entry.pageBytes, entry.pageBytes);
      }
      done += entry.pageBytes;
    }
    return done;
  }

  iovaToPhys(at: Iova): PhysAddr | undefined {
    for (const size of this.pageSizes) {
      const entry = this.entries.get(at - (at % size));
      if (entry?.pageBytes === size) return (entry.pa + (at % size)) as PhysAddr;
    }
    return undefined;
  }

  flushIotlbAll(): void {
    this.journal.push('flush');
    this.stale.clear();
  }

  iotlbSync(gather: IotlbGather): void {
    if (gather.first > gather.last) return;
    this.journal.push(`sync ${hex(gather.first)}-${hex(gather.last)}`);
    for (const at of this.stale) if (at >= gather.first && at <= gather.last) this.stale.delete(at);
    gather.reset();
  }

  attach(): void {
    this.journal.push('attach');
  }

  free(): void {
    this.journal.push('free');
    this.entries.clear();
  }

  /** Splits a block that begins before `at`, or that is larger than what is to be unmapped. */
  #split(at: number, leftBytes: number): void {
    for (const size of [...this.pageSizes].reverse()) {
      const first = at - (at % size);
      const entry = this.entries.get(first);
      if (entry?.pageBytes !== size || (first === at && size <= leftBytes)) continue;
      const smaller = this.pageSizes[this.pageSizes.indexOf(size) - 1];
      this.entries.delete(first);
      for (let offset = 0; offset < size; offset += smaller)
        this.entries.set(first + offset, { pa: entry.pa + offset, pageBytes: smaller, prot: entry.prot });
    }
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
