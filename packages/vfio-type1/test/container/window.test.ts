// SPDX-License-Identifier: Apache-2.0
// The MSI window under both policies (R15-R17, R19), by hand-computed expectations.

import { iova } from '@irqkit/core';
import { VFIO_EXTENSION, VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA } from '@irqkit/vfio-type1';
import { FakeIommu } from '../support/fake-iommu.js';
import { ITS_DOORBELL, Rig } from '../support/rig.js';
import { errnoOf, errorOf, openedContainer, words } from '../support/session.js';

const KIB4 = 0x1000;
const WINDOW = { iova: 0x2000_0000, sizeBytes: 0x2_0000 };

describe('user window', () => {
  test('R15: one window is provided and taken back, in every domain', () => {
    const rig = new Rig({ iommus: [new FakeIommu(), new FakeIommu({ path: '/iommu@2' })] });
    const { container, iommu } = openedContainer(rig, { policy: 'user', onEveryIommu: true });
    expect(container.groups).toHaveLength(2);
    iommu.provideMsiWindow(WINDOW);
    expect(iommu.msiWindow).toEqual(WINDOW);
    for (const opened of rig.opened) opened.enableMsi();
    for (const fake of rig.iommus)
      expect(fake.domainOf(rig.opened[rig.iommus.indexOf(fake)].device).lookUp(WINDOW.iova + 0x40)?.pa).toBe(
        0x809_0040,
      );
  });

  test.each([
    ['empty', { iova: 0x2000_0000, sizeBytes: 0 }],
    ['a misaligned base', { iova: 0x2000_0800, sizeBytes: KIB4 }],
    ['a misaligned size', { iova: 0x2000_0000, sizeBytes: 0x800 }],
    ['beyond the aperture', { iova: 2 ** 48 - KIB4, sizeBytes: 2 * KIB4 }],
    ['a wrap', { iova: 2 ** 64 - KIB4, sizeBytes: 2 * KIB4 }],
  ])('R15: %s is an EINVAL, with no window after', (_what, range) => {
    const { iommu } = openedContainer(new Rig(), { policy: 'user' });
    expect(errnoOf(() => iommu.provideMsiWindow(range))).toBe('EINVAL');
    expect(iommu.msiWindow).toBeUndefined();
  });

  test('R15: a second window is an EEXIST, the first one stays', () => {
    const { iommu } = openedContainer(new Rig(), { policy: 'user' });
    iommu.provideMsiWindow(WINDOW);
    expect(errnoOf(() => iommu.provideMsiWindow({ iova: 0x3000_0000, sizeBytes: KIB4 }))).toBe('EEXIST');
    expect(errnoOf(() => iommu.provideMsiWindow(WINDOW))).toBe('EEXIST');
    expect(iommu.msiWindow).toEqual(WINDOW);
  });

  test.each([-KIB4, 0, WINDOW.sizeBytes - KIB4])('R15: overlap is an EEXIST either way round (offset %p)', (offset) => {
    const mapping = { iova: WINDOW.iova + offset, sizeBytes: 2 * KIB4 };
    const first = openedContainer(new Rig(), { policy: 'user' });
    first.map(mapping.iova, mapping.sizeBytes);
    expect(errnoOf(() => first.iommu.provideMsiWindow(WINDOW))).toBe('EEXIST');
    const second = openedContainer(new Rig(), { policy: 'user' });
    second.iommu.provideMsiWindow(WINDOW);
    expect(errnoOf(() => second.map(mapping.iova, mapping.sizeBytes))).toBe('EEXIST');
    second.map(WINDOW.iova + WINDOW.sizeBytes, KIB4);
    expect(second.iommu.nrMappings).toBe(1);
  });

  test('R15: while bindings live, unmapping it is an EBUSY that unmaps nothing', () => {
    const rig = new Rig();
    const { iommu, process, map } = openedContainer(rig, { policy: 'user' });
    map(0x1000_0000, KIB4);
    iommu.provideMsiWindow(WINDOW);
    rig.opened[0].enableMsi();
    expect(errnoOf(() => iommu.unmapDma(WINDOW, process))).toBe('EBUSY');
    expect(errnoOf(() => iommu.unmapAll(process))).toBe('EBUSY');
    expect(iommu.nrMappings).toBe(1);
    rig.opened[0].disableMsi();
    expect(iommu.unmapAll(process)).toBe(KIB4 + WINDOW.sizeBytes);
    expect(iommu.msiWindow).toBeUndefined();
  });

  test('R15: a range that cuts the window is an EINVAL', () => {
    const { iommu, process } = openedContainer(new Rig(), { policy: 'user' });
    iommu.provideMsiWindow(WINDOW);
    expect(errnoOf(() => iommu.unmapDma({ iova: WINDOW.iova, sizeBytes: KIB4 }, process))).toBe('EINVAL');
    expect(iommu.unmapDma(WINDOW, process)).toBe(WINDOW.sizeBytes);
  });

  test('R15: enabling MSI without a window is an EINVAL', () => {
    const rig = new Rig();
    openedContainer(rig, { policy: 'user' });
    const before = rig.state;
    expect(errnoOf(() => rig.opened[0].enableMsi())).toBe('EINVAL');
    expect(rig.state).toEqual(before);
  });

  test('R19: a window too small for the doorbells is an ENOSPC, with nothing leaked', () => {
    const rig = new Rig();
    const straddling = { ...ITS_DOORBELL, globalDoorbell: 0x909_0ffe as never };
    rig.bound('other', { doorbell: straddling });
    const { iommu } = openedContainer(rig, { policy: 'user', devices: ['dev', 'other'] });
    iommu.provideMsiWindow({ iova: WINDOW.iova, sizeBytes: KIB4 });
    const before = rig.state;
    expect(errnoOf(() => rig.opened[1].enableMsi())).toBe('ENOSPC');
    expect(rig.state).toEqual(before);
    rig.opened[0].enableMsi();
    expect(rig.state.msis).toEqual(['dev']);
  });

  test('R15: by the binary ABI, flag bit 2 provides it, and VADDR is not to be had', () => {
    const { process, container, iommu } = openedContainer(new Rig(), { policy: 'user' });
    const given = words([32, 4], [0n, 0x2000_0000n, 0x2_0000n]);
    expect(process.ioctl(container.fd, VFIO_IOMMU_MAP_DMA, given)).toEqual({ ret: 0, errno: 0 });
    expect(iommu.msiWindow).toEqual(WINDOW);
    expect(process.ioctl(container.fd, VFIO_IOMMU_MAP_DMA, given)).toEqual({ ret: -1, errno: 17 });
    const misaligned = words([32, 4], [0n, 0x8000_0000_0000_0800n, 0x1000n]);
    expect(process.ioctl(container.fd, VFIO_IOMMU_MAP_DMA, misaligned)).toEqual({ ret: -1, errno: 22 });
    const vaddr = words([24, 6], [0n, 0n]);
    expect(process.ioctl(container.fd, VFIO_IOMMU_UNMAP_DMA, vaddr)).toEqual({ ret: -1, errno: 22 });
    expect(container.checkExtension(VFIO_EXTENSION.UPDATE_VADDR)).toBe(0);
  });

  test('R17: GET_INFO has what the doorbells need, after the capabilities of Linux', () => {
    const rig = new Rig();
    rig.doorbells.register({ ...ITS_DOORBELL, globalDoorbell: 0x909_0ffe as never });
    const { process, container } = openedContainer(rig, { policy: 'user' });
    const info = new DataView(words([4096], [], 4096));
    expect(process.ioctl(container.fd, VFIO_IOMMU_GET_INFO, info.buffer).ret).toBe(0);
    // migration at 24, DMA entries at 56, one range at 68, the window at 100
    expect(info.getUint32(72, true)).toBe(100);
    expect(info.getUint32(76, true)).toBe(1);
    expect([info.getUint16(100, true), info.getUint16(102, true), info.getUint32(104, true)]).toEqual([0xff00, 1, 0]);
    expect(info.getBigUint64(116, true)).toBe(0x3000n);
    expect(info.getBigUint64(124, true)).toBe(0x1000n);
  });
});

describe('SW_MSI window', () => {
  test('R16: it is cut out of the IOVA ranges, and doorbells go there', () => {
    const rig = new Rig();
    const { iommu, map } = openedContainer(rig);
    expect(iommu.info.iovaRanges).toEqual([
      { first: 0, last: 0x7ff_ffff },
      { first: 0x810_0000, last: 0xffff_ffff_ffff },
    ]);
    expect(iommu.info.msiWindow).toBeUndefined();
    expect(errnoOf(() => map(0x80f_f000, 2 * KIB4))).toBe('EINVAL');
    rig.opened[0].enableMsi();
    expect(rig.iommu.domainOf(rig.opened[0].device).lookUp(0x800_0040)?.pa).toBe(0x809_0040);
  });

  test('R16: under the user window nothing is cut out for it', () => {
    const { iommu, map } = openedContainer(new Rig(), { policy: 'user' });
    expect(iommu.info.iovaRanges).toEqual([{ first: 0, last: 0xffff_ffff_ffff }]);
    map(0x800_0000, KIB4);
    expect(iommu.nrMappings).toBe(1);
  });

  test('R15: a window is not user space’s to provide', () => {
    const { iommu } = openedContainer(new Rig());
    expect(errorOf(() => iommu.provideMsiWindow(WINDOW))).toMatch(/MSI window.*\(EINVAL\)/);
  });

  test('R16: what other regions reserve is cut out as well, but for relaxable ones', () => {
    const reserved = [
      { base: iova(0), sizeBytes: 0x1_0000, type: 'reserved', prot: 0 },
      { base: iova(0x9000_0000), sizeBytes: 0x1000, type: 'direct', prot: 3 },
      { base: iova(0xa000_0000), sizeBytes: 0x1000, type: 'direct-relaxable', prot: 3 },
    ] as const;
    const { iommu } = openedContainer(new Rig({ iommus: [new FakeIommu({ reserved })] }));
    expect(iommu.info.iovaRanges).toEqual([
      { first: 0x1_0000, last: 0x8fff_ffff },
      { first: 0x9000_1000, last: 0xffff_ffff_ffff },
    ]);
  });
});

describe('GET_INFO', () => {
  test('R17: Linux 6.12 aligns capabilities to 8 bytes: 120 bytes where 6.1 has 116', () => {
    const needed = (['6.1', '6.12'] as const).map((kernel) => {
      const { process, container } = openedContainer(new Rig({ settings: { kernel } }));
      const info = words([24], [], 24);
      process.ioctl(container.fd, VFIO_IOMMU_GET_INFO, info);
      return new DataView(info).getUint32(0, true);
    });
    expect(needed).toEqual([116, 120]);
  });

  test('R17: a buffer that ends before argsz is an EFAULT, one too short for page sizes an EINVAL', () => {
    const { process, container } = openedContainer(new Rig());
    expect(process.ioctl(container.fd, VFIO_IOMMU_GET_INFO, words([4096], [], 64)).errno).toBe(14);
    expect(process.ioctl(container.fd, VFIO_IOMMU_GET_INFO, words([15], [], 64)).errno).toBe(22);
    expect(process.ioctl(container.fd, VFIO_IOMMU_GET_INFO, 4096).errno).toBe(14);
  });
});
