// SPDX-License-Identifier: Apache-2.0
// A domain against a table of pages. The device comes last, so that nothing it has seen can be stale.

import { hex } from '@irqkit/bits';
import { IOMMU_PROT, physAddr } from '@irqkit/core';
import type { Iova, PhysAddr, UserDomain } from '@irqkit/core';
import { expectSame } from '../../expect/expect.js';
import { Xorshift } from '../../model/xorshift.js';
import type { IommuCheck, IommuSubject } from '../capabilities.js';
import { expectNoRead, expectNoWrite, expectReads, expectWrites } from '../expect-reach.js';
import { RW } from '../protections.js';
import type { DmaDevice } from '../rig/dma-device.js';
import { withIommu } from '../rig/iommu-stand.js';
import type { IommuStand } from '../rig/iommu-stand.js';
import type { Pages } from '../rig/pages.js';
import { Oracle } from './oracle.js';

/** Larger blocks would take more memory than a test should. */
const MOST_BLOCK_BYTES = 2 ** 25;
/** The window of addresses, in blocks. */
const NR_BLOCKS = 3;
/** In place of a block, where there is none of a size to try. */
const RUN_PAGES = 64;
/** Runs that are no blocks have fewer pages. */
const SHORT_RUN = 8;

export const randomMappingChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title:
      'map, unmap and iovaToPhys agree with a table of pages, and so does what a device reaches: ' +
      `${subject.nrOperations} random operations (seed ${subject.seed})`,
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const space = new RandomSpace(stand, device, domain, subject);
        for (let i = 0; i < subject.nrOperations; i++) space.step(i);
        space.expectReached();
      });
    },
  },
];

class RandomSpace {
  readonly #device: DmaDevice;
  readonly #domain: UserDomain;
  readonly #random: Xorshift;
  readonly #oracle: Oracle;
  readonly #pages: Pages;
  readonly #pageBytes: number;
  readonly #blockBytes: number;
  readonly #first: number;
  readonly #prots: readonly number[];

  constructor(stand: IommuStand, device: DmaDevice, domain: UserDomain, subject: IommuSubject) {
    const [pageBytes, blockBytes = Infinity] = domain.pageSizes;
    this.#device = device;
    this.#domain = domain;
    this.#random = new Xorshift(subject.seed);
    this.#oracle = new Oracle(pageBytes);
    this.#pageBytes = pageBytes;
    this.#blockBytes = blockBytes <= MOST_BLOCK_BYTES ? blockBytes : RUN_PAGES * pageBytes;
    this.#pages = stand.pages((2 * this.#blockBytes) / pageBytes, pageBytes, this.#blockBytes);
    this.#first = stand.iovaFor(device, domain, NR_BLOCKS * this.#blockBytes, this.#blockBytes);
    this.#prots = [RW, IOMMU_PROT.READ, ...(subject.supports('write-only') ? [IOMMU_PROT.WRITE] : [])];
  }

  /** One map or unmap; overlaps are left to the check of their own. */
  step(index: number): void {
    const { iova, sizeBytes } = this.#run();
    const when = `operation ${index} at ${hex(iova)}, ${hex(sizeBytes)} bytes`;
    if (this.#random.below(5) < 3) {
      if (!this.#oracle.isFree(iova, sizeBytes)) return;
      const pa = this.#target(iova, sizeBytes);
      const prot = this.#random.pick(this.#prots);
      this.#domain.map(iova, pa, sizeBytes, prot);
      this.#oracle.map(iova, pa, sizeBytes, prot);
    } else
      expectSame(this.#domain.unmap(iova, sizeBytes), this.#oracle.unmap(iova, sizeBytes), `bytes unmapped by ${when}`);
    const places = [iova - 1, iova, iova + sizeBytes - 1, iova + sizeBytes, this.#anywhere(), this.#anywhere()];
    for (const place of places) this.#expectPhys(place, `after ${when}`);
  }

  /** The device reaches what the table says, everywhere in the window. */
  expectReached(): void {
    const end = this.#first + NR_BLOCKS * this.#blockBytes;
    for (let iova = this.#first; iova < end; iova += this.#pageBytes) {
      this.#expectPhys(iova, 'at the end');
      this.#expectAccess(iova);
    }
  }

  #expectPhys(iova: number, when: string): void {
    const page = this.#oracle.at(iova);
    const wanted = page && page.pa + (iova % this.#pageBytes);
    expectSame(this.#domain.iovaToPhys(iova as Iova), wanted, `iovaToPhys of ${hex(iova)} ${when}`);
  }

  // What a permission refuses is for the checks of permissions.
  #expectAccess(iova: number): void {
    const page = this.#oracle.at(iova);
    if (!page) {
      expectNoRead(this.#device, this.#pages, iova, 'at the end');
      if (this.#random.below(16) === 0) expectNoWrite(this.#device, this.#pages, iova, 'at the end');
      return;
    }
    const target = (page.pa - this.#pages.pa(0)) / this.#pageBytes;
    if (page.prot & IOMMU_PROT.READ) expectReads(this.#device, this.#pages, iova, target, 'at the end');
    if (page.prot & IOMMU_PROT.WRITE) expectWrites(this.#device, this.#pages, iova, target, 'at the end');
  }

  /** Some pages, or one block or two. */
  #run(): { readonly iova: Iova; readonly sizeBytes: number } {
    const size = this.#random.below(3) === 0 ? this.#blockBytes : this.#pageBytes;
    const most = size === this.#blockBytes ? 2 : SHORT_RUN;
    const nrSteps = (NR_BLOCKS * this.#blockBytes) / size;
    const at = this.#random.below(nrSteps);
    const nr = Math.min(1 + this.#random.below(most), nrSteps - at);
    return { iova: (this.#first + at * size) as Iova, sizeBytes: nr * size };
  }

  /** In half of the cases aligned as the addresses are, so that blocks can be used. */
  #target(iova: number, sizeBytes: number): PhysAddr {
    const base = this.#pages.pa(0);
    const room = 2 * this.#blockBytes - sizeBytes;
    const offset = this.#random.below(2) === 0 ? iova % this.#blockBytes : this.#anyPage(room);
    return physAddr(base + Math.min(offset, room));
  }

  #anyPage(room: number): number {
    return this.#random.below(room / this.#pageBytes + 1) * this.#pageBytes;
  }

  #anywhere(): number {
    return this.#first + this.#random.below(NR_BLOCKS * this.#blockBytes);
  }
}
