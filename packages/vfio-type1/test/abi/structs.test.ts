// SPDX-License-Identifier: Apache-2.0
// Request numbers, offsets and sizes, typed from linux/vfio.h of Linux 6.1.

import * as vfio from '@irqkit/vfio-type1';
import * as structs from '../../src/abi/structs.js';

test('request numbers are _IO(0x3b, 100 + n)', () => {
  expect(vfio.VFIO_GET_API_VERSION).toBe(0x3b64);
  expect(vfio.VFIO_CHECK_EXTENSION).toBe(0x3b65);
  expect(vfio.VFIO_SET_IOMMU).toBe(0x3b66);
  expect(vfio.VFIO_GROUP_GET_STATUS).toBe(0x3b67);
  expect(vfio.VFIO_GROUP_SET_CONTAINER).toBe(0x3b68);
  expect(vfio.VFIO_GROUP_UNSET_CONTAINER).toBe(0x3b69);
  expect(vfio.VFIO_GROUP_GET_DEVICE_FD).toBe(0x3b6a);
  expect(vfio.VFIO_DEVICE_GET_INFO).toBe(0x3b6b);
  expect(vfio.VFIO_DEVICE_RESET).toBe(0x3b6f);
  expect(vfio.VFIO_IOMMU_GET_INFO).toBe(0x3b70);
  expect(vfio.VFIO_IOMMU_MAP_DMA).toBe(0x3b71);
  expect(vfio.VFIO_IOMMU_UNMAP_DMA).toBe(0x3b72);
  expect(vfio.VFIO_IOMMU_ENABLE).toBe(0x3b73);
  expect(vfio.VFIO_IOMMU_DISABLE).toBe(0x3b74);
  expect(vfio.VFIO_IOMMU_DIRTY_PAGES).toBe(0x3b75);
});

/** The offset at which a field reads a mark. */
function offsetOf(field: (view: DataView) => number | bigint): number {
  const view = new DataView(new ArrayBuffer(128));
  return Array.from({ length: 120 }, (_, at) => at).find((at) => {
    view.setUint8(at, 0xa5);
    const found = BigInt(field(view)) === 0xa5n;
    view.setUint8(at, 0);
    return found;
  })!;
}

test.each([
  ['GROUP_STATUS', structs.GROUP_STATUS, 8, { argsz: 0, flags: 4 }],
  ['CONTAINER_FD', structs.CONTAINER_FD, 4, { fd: 0 }],
  ['TYPE1_INFO', structs.TYPE1_INFO, 24, { argsz: 0, flags: 4, iova_pgsizes: 8, cap_offset: 16 }],
  ['CAP_HEADER', structs.CAP_HEADER, 8, { id: 0, version: 2, next: 4 }],
  ['CAP_MIGRATION', structs.CAP_MIGRATION, 32, { flags: 8, pgsize_bitmap: 16, max_dirty_bitmap_size: 24 }],
  ['CAP_DMA_AVAIL', structs.CAP_DMA_AVAIL, 12, { avail: 8 }],
  ['CAP_IOVA_RANGE', structs.CAP_IOVA_RANGE, 16, { nr_iovas: 8 }],
  ['IOVA_RANGE', { ...structs.IOVA_RANGE, bytes: 16 }, 16, { start: 0, end: 8 }],
  ['CAP_MSI_WINDOW', structs.CAP_MSI_WINDOW, 32, { size: 16, alignment: 24 }],
  ['DMA_MAP', structs.DMA_MAP, 32, { argsz: 0, flags: 4, vaddr: 8, iova: 16, size: 24 }],
  ['DMA_UNMAP', structs.DMA_UNMAP, 24, { argsz: 0, flags: 4, iova: 8, size: 16 }],
  ['BITMAP', structs.BITMAP, 24, { pgsize: 0, size: 8, data: 16 }],
  ['DIRTY_BITMAP', structs.DIRTY_BITMAP, 8, { argsz: 0, flags: 4 }],
  ['DIRTY_GET', structs.DIRTY_GET, 40, { iova: 0, size: 8 }],
])('%s is laid out as the header says', (_name, layout, bytes, offsets) => {
  expect(layout.bytes).toBe(bytes);
  const fields = layout as unknown as Record<string, (view: DataView) => number | bigint>;
  for (const [name, offset] of Object.entries(offsets)) expect([name, offsetOf(fields[name])]).toEqual([name, offset]);
});
