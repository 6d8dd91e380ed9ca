// SPDX-License-Identifier: Apache-2.0
// What user space waits for: MAP_DMA with UNMAP_DMA beside other mappings, over an SMMUv3's page tables, and a device's message
// on its way to an eventfd.
import { readFileSync } from 'node:fs';
import { createBoard } from '@irqkit/board';
import { createHost } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';
import { nvmeLike } from '@irqkit/pci/model';
import { smmuV3 } from '@irqkit/smmu-v3';
import { EventFd, Process, VFIO_DEVICE_SET_IRQS, VFIO_EXTENSION, VfioPciDriver, VfioSystem } from '@irqkit/vfio-type1';

const PLATFORM = new URL('../../packages/cli/platforms/virt-gic-v3-its-smmu-v3.dtb', import.meta.url);
const PAGE = 0x1000;
const GIB = 2 ** 30;
const NAME = '0000:00:01.0';
const MSIX = 2;
/** VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER */
const EVENTFD_TRIGGER = 0x24;
/** The command register, in the region of configuration space: memory and bus mastering on. */
const COMMAND = 7 * 2 ** 40 + 4;

/** Physical memory of any size that nobody reads: addresses alone. */
function addressesOnly() {
  let next = 2 ** 40;
  return {
    alloc(sizeBytes) {
      const base = next;
      next += Math.ceil(sizeBytes / GIB) * GIB;
      return { base, sizeBytes, bytes: new Uint8Array(0), words: new Uint32Array(0) };
    },
    free() {},
  };
}

/** A process that has one function of a machine, in a container. */
function user() {
  const firmware = firmwareFromFdt(readFileSync(PLATFORM));
  const plugins = [gicV3, gicV3Its, smmuV3, pciHostGeneric];
  const model = nvmeLike({ vectors: 1 });
  const { bus } = createBoard({ firmware, plugins, plugged: { '/pcie@10000000': [{ device: 1, model }] } });
  const host = createHost({ firmware, plugins, bus });
  const device = host.devices.find(NAME);
  host.iommus.dmaConfigure(device);
  const vfio = new VfioSystem({ host, driver: new VfioPciDriver({ ...host, bus }) });
  vfio.bindDevice(device);
  const process = new Process({ memory: addressesOnly(), ipcLock: true });
  const container = vfio.openContainer(process);
  const group = vfio.openGroup(process, device.iommuGroup.id);
  group.setContainer(container);
  container.setIommu(VFIO_EXTENSION.TYPE1v2_IOMMU);
  return { process, container, group, model };
}

function mapping(nrLive, sizeBytes, ops) {
  const { process, container } = user();
  const vaddr = process.mm.mmap({ sizeBytes: Math.max(sizeBytes, nrLive * PAGE) });
  const access = { read: true, write: true };
  for (let i = 0; i < nrLive; i++)
    container.mapDma({ iova: 2 ** 36 + 2 * i * PAGE, sizeBytes: PAGE, vaddr: vaddr + i * PAGE, ...access });
  return () => {
    for (let i = 0; i < ops; i++) {
      container.mapDma({ iova: 4 * GIB, sizeBytes, vaddr, ...access });
      container.unmapDma({ iova: 4 * GIB, sizeBytes });
    }
  };
}

function trigger(ops) {
  const { process, group, model } = user();
  const fd = group.getDeviceFd(NAME, process);
  process.write(fd, COMMAND, Uint8Array.of(6, 0));
  const eventFd = new EventFd();
  const irqSet = Int32Array.of(24, EVENTFD_TRIGGER, MSIX, 0, 1, process.install(eventFd));
  if (process.ioctl(fd, VFIO_DEVICE_SET_IRQS, irqSet.buffer).ret !== 0) throw new Error('no eventfd is set');
  return () => {
    for (let i = 0; i < ops; i++) model.raise(0);
    if (eventFd.take() !== ops) throw new Error('messages were lost');
  };
}

export function cases() {
  const sizes = [
    ['4 KiB', PAGE, 20],
    ['2 MiB', 2 ** 21, 20],
    ['1 GiB', GIB, 2],
  ];
  const live = [
    ['32', 32],
    ['1 Ki', 1024],
    ['60 Ki', 60 * 1024],
  ];
  const mappings = sizes.flatMap(([size, sizeBytes, ops]) =>
    live.map(([count, nrLive]) => ({
      name: `map and unmap ${size}, ${count} live`,
      ops,
      run: mapping(nrLive, sizeBytes, ops),
      ...(nrLive > 32 && { beside: `map and unmap ${size}, 32 live` }),
    })),
  );
  return [...mappings, { name: 'message to eventfd', ops: 1000, run: trigger(1000), allocatesNothingOver: 1e6 }];
}
