// SPDX-License-Identifier: Apache-2.0
// MAP_DMA and UNMAP_DMA beyond what was recorded: R21.

import { IOMMU_PROT } from '@irqkit/core';
import { VFIO_IOMMU_DIRTY_PAGES, VFIO_IOMMU_UNMAP_DMA } from '@irqkit/vfio-type1';
import { FakeIommu } from '../support/fake-iommu.js';
import { Rig } from '../support/rig.js';
import { errnoOf, openedContainer, words } from '../support/session.js';

const KIB4 = 0x1000;
const MIB2 = 0x20_0000;

describe('MAP_DMA', () => {
  test('R21: scattered pages go to their own addresses, with the access asked for and cacheable', () => {
    const rig = new Rig();
    const { iommu, process } = openedContainer(rig);
    const vaddr = process.mm.mmap({ sizeBytes: 4 * KIB4, unitBytes: KIB4 });
    iommu.mapDma({ iova: 0x1000_0000, sizeBytes: 4 * KIB4, vaddr, read: true }, process);
    const domain = rig.iommu.domainOf(rig.opened[0].device);
    for (let at = 0; at < 4 * KIB4; at += KIB4)
      expect(domain.lookUp(0x1000_0000 + at)).toEqual({
        pa: process.mm.physOf(vaddr + at),
        prot: IOMMU_PROT.READ | IOMMU_PROT.CACHE,
      });
    expect(domain.entries.size).toBe(4);
  });

  test.each([
    [false, 1],
    [true, 512],
  ])(
    'R21: contiguous memory is mapped by blocks, page by page where disableHugepages is %p',
    (disableHugepages, nr) => {
      const rig = new Rig({ settings: { disableHugepages } });
      const { iommu, process } = openedContainer(rig);
      const vaddr = process.mm.mmap({ sizeBytes: 2 * MIB2, unitBytes: MIB2 });
      iommu.mapDma({ iova: 0x4000_0000, sizeBytes: MIB2, vaddr, read: true, write: true }, process);
      expect(rig.iommu.domainOf(rig.opened[0].device).entries.size).toBe(nr);
      expect(iommu.unmapAll(process)).toBe(MIB2);
      expect(process.mm.lockedPages).toBe(0);
    },
  );

  test('R21: device memory is mapped and not counted as locked', () => {
    const { iommu, process } = openedContainer(new Rig());
    const vaddr = process.mm.mapDevice({ base: 0x1060_0000 as never, sizeBytes: KIB4 }, { read: true, write: true });
    iommu.mapDma({ iova: 0x6000_0000, sizeBytes: KIB4, vaddr, read: true, write: true }, process);
    expect(process.mm.lockedPages).toBe(0);
    expect(iommu.unmapAll(process)).toBe(KIB4);
  });

  test('R21: memory that is unmapped from the process stays pinned, and is freed with the last mapping of it', () => {
    const rig = new Rig();
    const { iommu, process, map } = openedContainer(rig);
    const vaddr = map(0x1000_0000, 2 * KIB4);
    iommu.mapDma({ iova: 0x2000_0000, sizeBytes: KIB4, vaddr, read: true }, process);
    expect(process.mm.lockedPages).toBe(3);
    process.mm.munmap(vaddr, 2 * KIB4);
    expect(rig.memory.usedBytes).toBe(2 * KIB4);
    iommu.unmapDma({ iova: 0x1000_0000, sizeBytes: 2 * KIB4 }, process);
    expect(rig.memory.usedBytes).toBe(2 * KIB4);
    iommu.unmapAll(process);
    expect([rig.memory.usedBytes, process.mm.lockedPages]).toEqual([0, 0]);
  });

  test('R21: RLIMIT_MEMLOCK counts every mapping of a page, and a failure gives all of it back', () => {
    const { iommu, process } = openedContainer(new Rig());
    Object.assign(process, { ipcLock: false, memlockBytes: 6 * KIB4 });
    const vaddr = process.mm.mmap({ sizeBytes: 8 * KIB4, unitBytes: 2 * KIB4 });
    const request = (iova: number, nrPages: number) => ({ iova, sizeBytes: nrPages * KIB4, vaddr, read: true });
    iommu.mapDma(request(0x1000_0000, 4), process);
    expect(errnoOf(() => iommu.mapDma(request(0x2000_0000, 4), process))).toBe('ENOMEM');
    expect(process.mm.lockedPages).toBe(4);
    iommu.mapDma(request(0x2000_0000, 2), process);
    expect(errnoOf(() => iommu.mapDma(request(0x3000_0000, 1), process))).toBe('ENOMEM');
    process.ipcLock = true;
    iommu.mapDma(request(0x3000_0000, 1), process);
    expect(process.mm.lockedPages).toBe(7);
  });

  test('R21: whichever step of a map fails, nothing is mapped, pinned or counted', () => {
    const rig = new Rig();
    const { iommu, process } = openedContainer(rig);
    const vaddr = process.mm.mmap({ sizeBytes: 4 * KIB4, unitBytes: KIB4 });
    const before = [rig.state, iommu.info, process.mm.lockedPages];
    for (let step = 0; step < 4; step++) {
      rig.iommu.failAfter(step);
      const request = { iova: 0x1000_0000, sizeBytes: 4 * KIB4, vaddr, read: true };
      expect(errnoOf(() => iommu.mapDma(request, process))).toBe('ENOMEM');
      expect([rig.state, iommu.info, process.mm.lockedPages]).toEqual(before);
    }
  });

  test('R21: page-size rules are those of the smallest page all IOMMUs have', () => {
    const rig = new Rig({ iommus: [new FakeIommu({ pageSizes: [0x1_0000, 0x2000_0000] })] });
    const { iommu, process } = openedContainer(rig);
    const vaddr = process.mm.mmap({ sizeBytes: 0x2_0000, unitBytes: 0x1_0000 });
    const ranges = [
      { iova: 0x1000_1000, sizeBytes: 0x1_0000, vaddr },
      { iova: 0x1000_0000, sizeBytes: 0x1000, vaddr },
      { iova: 0x1000_0000, sizeBytes: 0x1_0000, vaddr: vaddr + 0x1000 },
    ];
    for (const range of ranges) expect(errnoOf(() => iommu.mapDma({ ...range, read: true }, process))).toBe('EINVAL');
    iommu.mapDma({ iova: 0x1000_0000, sizeBytes: 0x2_0000, vaddr, read: true }, process);
    expect(iommu.unmapAll(process)).toBe(0x2_0000);
  });

  test('R21: a wrap of the typed API is an EINVAL as well', () => {
    const { iommu, process } = openedContainer(new Rig());
    const at = { iova: 2 ** 64 - KIB4, sizeBytes: 2 * KIB4 };
    expect(errnoOf(() => iommu.mapDma({ ...at, vaddr: 0, read: true }, process))).toBe('EINVAL');
    expect(errnoOf(() => iommu.unmapDma(at, process))).toBe('EINVAL');
  });
});

describe('UNMAP_DMA', () => {
  test('R21: mappings of another process end it', () => {
    const rig = new Rig();
    const { iommu, process, map } = openedContainer(rig);
    const other = rig.process();
    map(0x1000_0000, KIB4);
    const vaddr = other.mm.mmap({ sizeBytes: KIB4 });
    iommu.mapDma({ iova: 0x2000_0000, sizeBytes: KIB4, vaddr, read: true }, other);
    map(0x3000_0000, KIB4);
    expect(iommu.unmapAll(process)).toBe(KIB4);
    expect(iommu.nrMappings).toBe(2);
    expect(iommu.unmapAll(other)).toBe(KIB4);
    expect(iommu.unmapAll(process)).toBe(KIB4);
  });

  test('R21: VADDR moves what is locked to the process that gives the new address', () => {
    const rig = new Rig();
    const { iommu, process, map } = openedContainer(rig);
    map(0x1000_0000, 4 * KIB4);
    const heir = rig.process({ ipcLock: false, memlockBytes: 3 * KIB4 });
    const range = { iova: 0x1000_0000, sizeBytes: 4 * KIB4 };
    expect(iommu.invalidateVaddr(range, process)).toBe(4 * KIB4);
    const update = { ...range, vaddr: 0x10_0000 };
    expect(errnoOf(() => iommu.updateVaddr(update, heir))).toBe('ENOMEM');
    expect([process.mm.lockedPages, heir.mm.lockedPages]).toEqual([4, 0]);
    heir.memlockBytes = 4 * KIB4;
    iommu.updateVaddr(update, heir);
    expect([process.mm.lockedPages, heir.mm.lockedPages]).toEqual([0, 4]);
    expect(iommu.unmapAll(heir)).toBe(4 * KIB4);
    expect(heir.mm.lockedPages).toBe(0);
  });
});

describe('dirty pages', () => {
  /** Three mappings with holes, from 0x10000000 on: pages 1-3, 60-70, 130. */
  function tracked() {
    const session = openedContainer(new Rig());
    session.map(0x1000_1000, 3 * KIB4);
    session.map(0x1000_0000 + 60 * KIB4, 11 * KIB4);
    session.map(0x1000_0000 + 130 * KIB4, KIB4);
    session.iommu.startDirtyTracking();
    const bitmap = session.process.mm.mmap({ sizeBytes: KIB4 });
    const read = () => {
      const found = new BigUint64Array(3);
      session.process.mm.read(bitmap, new Uint8Array(found.buffer));
      return [...found].map((word) => word.toString(16));
    };
    return { ...session, bitmap, read };
  }

  test('R21: a mapping is dirty all over, holes keep what was there', () => {
    const { process, container, bitmap, read } = tracked();
    const request = words([48, 4], [0x1000_0000n, BigInt(131 * KIB4), 0x1000n, 24n, BigInt(bitmap)]);
    process.mm.write(bitmap, new Uint8Array([1]));
    expect(process.ioctl(container.fd, VFIO_IOMMU_DIRTY_PAGES, request)).toEqual({ ret: 0, errno: 0 });
    expect(read()).toEqual(['f00000000000000f', '7f', '4']);
  });

  test('R21: UNMAP_DMA takes the bitmap on the way', () => {
    const { process, container, bitmap, read, iommu } = tracked();
    const request = words([48, 1], [0x1000_0000n, BigInt(129 * KIB4), 0x1000n, 24n, BigInt(bitmap)]);
    expect(process.ioctl(container.fd, VFIO_IOMMU_UNMAP_DMA, request)).toEqual({ ret: 0, errno: 0 });
    expect(new DataView(request).getBigUint64(16, true)).toBe(BigInt(14 * KIB4));
    expect(read()).toEqual(['f00000000000000e', '7f', '0']);
    expect(iommu.nrMappings).toBe(1);
  });

  test.each([
    ['another page size', [0x1000_0000n, 0x8_3000n, 0x2000n, 24n], 22],
    ['too small a bitmap', [0x1000_0000n, 0x8_3000n, 0x1000n, 16n], 22],
    ['too large a bitmap', [0x1000_0000n, 0x8_3000n, 0x1000n, 0x1000_0001n], 22],
    ['no size', [0x1000_0000n, 0n, 0x1000n, 24n], 22],
    ['a cut mapping', [0x1000_0000n, 0x8_2000n - 0x3f000n, 0x1000n, 24n], 22],
    ['the end of the address space', [0xffff_ffff_ffff_f000n, 0x1000n, 0x1000n, 24n], 22],
  ])('R21: GET_BITMAP with %s is an EINVAL', (_what, range, errno) => {
    const { process, container, bitmap } = tracked();
    const request = words([48, 4], [...range, BigInt(bitmap)]);
    expect(process.ioctl(container.fd, VFIO_IOMMU_DIRTY_PAGES, request)).toEqual({ ret: -1, errno });
  });

  test('R21: a bitmap that is not there is an EFAULT, which leaves the mapping', () => {
    const { process, container, iommu } = tracked();
    const range = [0x1000_0000n, BigInt(131 * KIB4), 0x1000n, 24n, 0n];
    expect(process.ioctl(container.fd, VFIO_IOMMU_DIRTY_PAGES, words([48, 4], range)).errno).toBe(14);
    expect(process.ioctl(container.fd, VFIO_IOMMU_UNMAP_DMA, words([48, 1], range)).errno).toBe(14);
    expect(iommu.nrMappings).toBe(3);
    expect(process.ioctl(container.fd, VFIO_IOMMU_UNMAP_DMA, words([48, 1], range.slice(0, 2))).errno).toBe(14);
  });
});
