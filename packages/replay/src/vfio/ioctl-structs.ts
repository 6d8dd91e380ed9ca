// SPDX-License-Identifier: Apache-2.0
// The bytes of each recorded ioctl's argument, made from its recorded input and read back into what the recorder noted. Layouts:
// linux/vfio.h.

import * as vfio from '@irqkit/vfio-type1';
import type { JsonRecord } from '../capture/json-lines.js';
import type { PlayedProcess } from './played-process.js';

export interface IoctlCall {
  readonly request: number;
  readonly arg: number | ArrayBuffer;
  /** What the recorder noted of the answer; for a call that failed too where `also` is set. */
  readonly output?: () => Readonly<Record<string, unknown>>;
}

const BYTES = 4096;
/** What the recorder passed to GET_REGION_INFO and GET_IRQ_INFO. */
const REGION_INFO_ARGSZ = 512;
const IRQ_INFO_ARGSZ = 16;

class Struct {
  readonly buffer = new ArrayBuffer(BYTES);
  readonly #view = new DataView(this.buffer);

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  hex64(at: number): string {
    return hexWords(this.u32(at), this.u32(at + 4));
  }

  put(at: number, ...words: readonly number[]): this {
    words.forEach((word, i) => this.#view.setUint32(at + 4 * i, word >>> 0, true));
    return this;
  }
}

/** As the recorder writes 64 bits. */
function hexWords(lo: number, hi: number): string {
  if (hi === 0) return `0x${lo.toString(16)}`;
  return `0x${hi.toString(16)}${lo.toString(16).padStart(8, '0')}`;
}

type Encode = (input: JsonRecord, process: PlayedProcess) => IoctlCall;

const words = (input: JsonRecord, name: string): readonly [number, number] => input.words(name);
const flag = (flags: number, bit: number): number => (flags >>> bit) & 1;

/** By the recorder's name of the call. */
export const IOCTLS: Readonly<Record<string, Encode>> = {
  VFIO_GET_API_VERSION: () => ({ request: vfio.VFIO_GET_API_VERSION, arg: 0 }),
  VFIO_CHECK_EXTENSION: (input) => ({ request: vfio.VFIO_CHECK_EXTENSION, arg: input.integer('id') }),
  VFIO_SET_IOMMU: (input) => ({ request: vfio.VFIO_SET_IOMMU, arg: input.integer('type') }),
  VFIO_GROUP_GET_STATUS: (input) => {
    const struct = new Struct().put(0, input.integer('argsz'));
    return {
      request: vfio.VFIO_GROUP_GET_STATUS,
      arg: struct.buffer,
      output: () => ({ flags: struct.u32(4), viable: flag(struct.u32(4), 0), container_set: flag(struct.u32(4), 1) }),
    };
  },
  VFIO_GROUP_SET_CONTAINER: (input, process) => ({
    request: vfio.VFIO_GROUP_SET_CONTAINER,
    arg: new Struct().put(0, process.namedFd(input.string('container'))).buffer,
  }),
  VFIO_GROUP_UNSET_CONTAINER: () => ({ request: vfio.VFIO_GROUP_UNSET_CONTAINER, arg: 0 }),
  VFIO_GROUP_GET_DEVICE_FD: (input) => {
    const struct = new Struct();
    new TextEncoder().encodeInto(input.string('name'), new Uint8Array(struct.buffer));
    return { request: vfio.VFIO_GROUP_GET_DEVICE_FD, arg: struct.buffer };
  },
  VFIO_IOMMU_GET_INFO: (input) => {
    const struct = new Struct().put(0, input.integer('argsz'));
    return { request: vfio.VFIO_IOMMU_GET_INFO, arg: struct.buffer, output: () => iommuInfo(struct) };
  },
  VFIO_IOMMU_MAP_DMA: (input, process) => {
    const struct = new Struct()
      .put(0, input.integer('argsz'), input.integer('flags'), ...process.vaddr(input))
      .put(16, ...words(input, 'iova'), ...words(input, 'size'));
    return { request: vfio.VFIO_IOMMU_MAP_DMA, arg: struct.buffer };
  },
  VFIO_IOMMU_UNMAP_DMA: (input) => {
    const struct = new Struct()
      .put(0, input.integer('argsz'), input.integer('flags'), ...words(input, 'iova'))
      .put(16, ...words(input, 'size'));
    return { request: vfio.VFIO_IOMMU_UNMAP_DMA, arg: struct.buffer, output: () => ({ size: struct.hex64(16) }) };
  },
  VFIO_IOMMU_ENABLE: () => ({ request: vfio.VFIO_IOMMU_ENABLE, arg: new Struct().buffer }),
  VFIO_IOMMU_DISABLE: () => ({ request: vfio.VFIO_IOMMU_DISABLE, arg: new Struct().buffer }),
  VFIO_IOMMU_DIRTY_PAGES: (input, process) => dirtyPages(input, process),
  'ioctl-unknown': (input) => ({ request: input.word('cmd'), arg: new Struct().buffer }),
  VFIO_DEVICE_GET_INFO: (input) => {
    const struct = new Struct().put(0, input.has('argsz') ? input.integer('argsz') : BYTES);
    return {
      request: vfio.VFIO_DEVICE_GET_INFO,
      arg: struct.buffer,
      output: () => ({
        argsz: struct.u32(0),
        flags: struct.u32(4),
        num_regions: struct.u32(8),
        num_irqs: struct.u32(12),
        cap_offset: struct.u32(16),
      }),
    };
  },
  VFIO_DEVICE_GET_REGION_INFO: (input) => {
    const struct = new Struct().put(0, REGION_INFO_ARGSZ, 0, input.integer('index'));
    return { request: vfio.VFIO_DEVICE_GET_REGION_INFO, arg: struct.buffer, output: () => regionInfo(struct) };
  },
  VFIO_DEVICE_GET_IRQ_INFO: (input) => {
    const struct = new Struct().put(0, IRQ_INFO_ARGSZ, 0, input.integer('index'));
    return { request: vfio.VFIO_DEVICE_GET_IRQ_INFO, arg: struct.buffer, output: () => irqInfo(struct) };
  },
  VFIO_DEVICE_SET_IRQS: (input, process) => {
    const struct = new Struct().put(
      0,
      ...['argsz', 'flags', 'index', 'start', 'count'].map((name) => input.integer(name)),
    );
    if (input.has('eventfds')) struct.put(20, ...input.list('eventfds').map((name) => process.namedFd(name)));
    if (input.has('bools')) new Uint8Array(struct.buffer).set(input.list('bools').map(Number), 20);
    return { request: vfio.VFIO_DEVICE_SET_IRQS, arg: struct.buffer };
  },
  VFIO_DEVICE_RESET: () => ({ request: vfio.VFIO_DEVICE_RESET, arg: 0 }),
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO: () => ({
    request: vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
    arg: new Struct().put(0, BYTES).buffer,
  }),
};

function iommuInfo(struct: Struct): Readonly<Record<string, unknown>> {
  const capOffset = struct.u32(16);
  const caps: unknown[] = [];
  for (let off = capOffset; off !== 0 && caps.length < 16; off = struct.u32(off + 4)) {
    const header = { off, id: struct.u16(off), version: struct.u16(off + 2), next: struct.u32(off + 4) };
    caps.push({ ...header, ...capability(struct, off, header.id) });
  }
  return {
    argsz: struct.u32(0),
    flags: struct.u32(4),
    iova_pgsizes: struct.hex64(8),
    cap_offset: capOffset,
    ...(capOffset !== 0 && { caps }),
  };
}

/** @linux VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, _CAP_MIGRATION, _INFO_DMA_AVAIL */
function capability(struct: Struct, off: number, id: number): Readonly<Record<string, unknown>> {
  switch (id) {
    case 1: {
      const nr = struct.u32(off + 8);
      const range = (i: number) => ({ start: struct.hex64(off + 16 + 16 * i), end: struct.hex64(off + 24 + 16 * i) });
      return { nr_iovas: nr, iova_ranges: Array.from({ length: nr }, (_, i) => range(i)) };
    }
    case 2:
      return {
        mig_flags: struct.u32(off + 8),
        pgsize_bitmap: struct.hex64(off + 16),
        max_dirty_bitmap_size: struct.hex64(off + 24),
      };
    case 3:
      return { dma_avail: struct.u32(off + 8) };
    default:
      return {};
  }
}

/** Bitmaps are two words: room for 128 pages of 4 KiB. */
function dirtyPages(input: JsonRecord, process: PlayedProcess): IoctlCall {
  const struct = new Struct().put(0, input.integer('argsz'), input.integer('flags'));
  const request = vfio.VFIO_IOMMU_DIRTY_PAGES;
  if (!input.has('iova')) return { request, arg: struct.buffer };
  const bitmap = process.scratch();
  const bytes = new Uint8Array(16);
  struct.put(8, ...words(input, 'iova'), ...words(input, 'size'), 0x1000, 0, bytes.length, 0);
  struct.put(40, bitmap % 2 ** 32, Math.floor(bitmap / 2 ** 32));
  return {
    request,
    arg: struct.buffer,
    output() {
      process.process.mm.read(bitmap, bytes);
      const halves = new Uint32Array(bytes.buffer);
      return { bitmap: [0, 2].map((i) => hexWords(halves[i], halves[i + 1])) };
    },
  };
}

function regionInfo(struct: Struct): Readonly<Record<string, unknown>> {
  const flags = struct.u32(4);
  const capOffset = struct.u32(12);
  const chain: unknown[] = [];
  for (let off = flag(flags, 3) ? capOffset : 0; off !== 0; off = struct.u32(off + 4))
    chain.push({ id: struct.u16(off), version: struct.u16(off + 2) });
  return {
    argsz: struct.u32(0),
    flags,
    read: flag(flags, 0),
    write: flag(flags, 1),
    mmap: flag(flags, 2),
    caps: flag(flags, 3),
    cap_offset: capOffset,
    size: struct.hex64(16),
    offset: struct.hex64(24),
    ...(chain.length > 0 && { cap_chain: chain }),
  };
}

function irqInfo(struct: Struct): Readonly<Record<string, unknown>> {
  const flags = struct.u32(4);
  return {
    flags,
    eventfd: flag(flags, 0),
    maskable: flag(flags, 1),
    automasked: flag(flags, 2),
    noresize: flag(flags, 3),
    count: struct.u32(12),
  };
}
