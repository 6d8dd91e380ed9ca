// SPDX-License-Identifier: Apache-2.0
// A domain for which something cannot be had, when it is made and when it is filled (REQUIREMENTS R7).

import type { Iova, PhysAddr, UserDomain } from '@irqkit/core';
import { expectSame, expectThat } from '../expect/expect.js';
import { sweep } from '../rig/sweep.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectNothing, expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import type { DmaDevice } from './rig/dma-device.js';
import { withIommu } from './rig/iommu-stand.js';
import type { IommuStand } from './rig/iommu-stand.js';
import type { Pages } from './rig/pages.js';

/** In place of a block, where there is none. */
const RUN_PAGES = 64;
/** Lengths of runs, in blocks. */
const RUN_BLOCKS = [2, 20, 80];

export const domainFaultChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'a domain that is not allocated or not attached leaves nothing behind, and the device where it was',
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        const dma = stand.iommus.dmaDomainOf(device);
        expectThat(dma !== undefined, () => `${device.name}: its default domain is no DMA domain`);
        const pages = stand.pages(1, dma.pageSizes[0]);
        const iova = dma.dmaMap(pages.pa(0), pages.pageBytes, RW);
        let domain: UserDomain | undefined;
        const release = () => {
          if (domain) stand.release(domain, device);
          domain = undefined;
        };
        sweep(stand.rig, 'attaching a device to a new domain', {
          attempt() {
            domain = stand.domain(device);
            stand.attach(domain, device);
          },
          undo: release,
          clear: release,
          verify: (when) => expectReaches(device, pages, iova, 0, when),
        });
        const next = stand.domain(device);
        stand.attach(next, device);
        next.map(iova, pages.pa(0), pages.pageBytes, RW);
        expectReaches(device, pages, iova, 0, 'in another domain after all faults');
      });
    },
  },
  {
    title: 'a map that fails at any step maps nothing and leaves nothing behind, and what was mapped stays',
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        const takesMemory = blocksThatTakeMemory(stand, device);
        let attempt: MapAttempt | undefined;
        const steps = sweep(stand.rig, 'mapping', {
          prepare: () => (attempt = new MapAttempt(stand, device, takesMemory ?? RUN_BLOCKS[0])),
          attempt: () => attempt?.map(),
          undo: () => attempt?.release(),
          clear() {
            attempt?.expectUndone();
            attempt?.map();
            attempt?.release();
          },
        });
        expectThat(steps > 0 || !takesMemory, () => 'a map that takes memory was not failed');
      });
    },
  },
  {
    title: 'an unmap that needs memory and gets none loses no page that it does not report',
    needs: ['blocks'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [pageBytes, blockBytes] = domain.pageSizes;
        const first = stand.iovaFor(device, domain, blockBytes, blockBytes);
        const middle = (first + blockBytes / 2) as Iova;
        domain.map(first, blockBytes as PhysAddr, blockBytes, RW);
        stand.rig.faults.arm(1);
        const unmapped = bytesUnmapped(() => domain.unmap(middle, pageBytes));
        stand.rig.faults.disarm();
        for (const at of [first, middle - pageBytes, middle, middle + pageBytes, first + blockBytes - pageBytes]) {
          const isGone = at === middle && unmapped > 0;
          const wanted = isGone ? undefined : at - first + blockBytes;
          expectSame(domain.iovaToPhys(at as Iova), wanted, `iovaToPhys after ${unmapped} bytes were unmapped`);
        }
      });
    },
  },
];

function bytesUnmapped(unmap: () => number): number {
  try {
    return unmap();
  } catch {
    return 0;
  }
}

/** The length of a run whose tables take DMA memory, if any: drivers may have some at hand, and what this leaves there may stay. */
function blocksThatTakeMemory(stand: IommuStand, device: DmaDevice): number | undefined {
  const { buffers } = stand.rig.bus;
  const takesMemory = (nrBlocks: number) => {
    const attempt = new MapAttempt(stand, device, nrBlocks);
    const before = buffers.size;
    attempt.map();
    const after = buffers.size;
    attempt.release();
    return after > before;
  };
  return RUN_BLOCKS.find(takesMemory);
}

/** A run of pages in a domain of its own that has one page mapped already. Blocks do not fit: each takes a table. */
class MapAttempt {
  readonly #stand: IommuStand;
  readonly #device: DmaDevice;
  readonly #domain: UserDomain;
  readonly #pages: Pages;
  readonly #kept: Iova;
  readonly #first: Iova;
  readonly #sizeBytes: number;

  constructor(stand: IommuStand, device: DmaDevice, nrBlocks: number) {
    const domain = stand.domain(device);
    stand.attach(domain, device);
    const [pageBytes, blockBytes = RUN_PAGES * pageBytes] = domain.pageSizes;
    this.#stand = stand;
    this.#device = device;
    this.#domain = domain;
    this.#pages = stand.pages(1, pageBytes);
    this.#kept = stand.iovaFor(device, domain, (nrBlocks + 3) * blockBytes, blockBytes);
    this.#first = (this.#kept + 2 * blockBytes - 2 * pageBytes) as Iova;
    this.#sizeBytes = nrBlocks * blockBytes;
    domain.map(this.#kept, this.#pages.pa(0), pageBytes, RW);
  }

  map(): void {
    const pa = this.#pages.pageBytes as PhysAddr;
    this.#domain.map(this.#first, pa, this.#sizeBytes, RW);
    const last = this.#sizeBytes - 1;
    expectSame(this.#domain.iovaToPhys((this.#first + last) as Iova), pa + last, 'iovaToPhys of what was mapped');
  }

  /** @throws ConformanceError where anything of the run is mapped, or the page no longer is */
  expectUndone(): void {
    const when = 'after a map failed';
    for (let at = this.#first; at < this.#first + this.#sizeBytes; at = (at + this.#pages.pageBytes) as Iova)
      if (this.#domain.iovaToPhys(at) !== undefined)
        expectSame(this.#domain.iovaToPhys(at), undefined, `iovaToPhys ${when}`);
    expectNothing(this.#device, this.#pages, this.#first, when);
    expectReaches(this.#device, this.#pages, this.#kept, 0, when);
  }

  release(): void {
    this.#stand.release(this.#domain, this.#device);
  }
}
