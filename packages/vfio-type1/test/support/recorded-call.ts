// SPDX-License-Identifier: Apache-2.0
// The bytes of recorded ioctls, laid out by hand from linux/vfio.h, and what the kernel left in them.

export interface RecordedCall {
  readonly n?: number;
  readonly scenario: string;
  readonly call?: string;
  readonly obj?: string;
  readonly in: {
    readonly argsz?: number;
    readonly flags?: number;
    readonly vaddr?: string;
    readonly iova?: string;
    readonly size?: string;
    readonly id?: number;
    readonly type?: number;
    readonly cmd?: string;
    readonly container?: string;
    readonly name?: string;
    readonly path?: string;
    readonly value?: string;
    readonly rlimit_memlock?: number;
  };
  readonly ret: number;
  readonly errno: number;
  readonly out: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

/** What the recorded names of things stand for. */
export interface CallContext {
  readonly buffer: number;
  readonly bitmap: number;
  readonly fdOf: (name: string) => number;
}

export interface CallBytes {
  readonly request: number;
  readonly arg: number | ArrayBuffer;
}

export function callBytes({ call, in: given }: RecordedCall, { buffer, bitmap, fdOf }: CallContext): CallBytes {
  const { argsz = 0, flags = 0, iova = '0', size = '0', vaddr = '0' } = given;
  const user = vaddr.startsWith('buf+') ? BigInt(buffer) + BigInt(vaddr.slice(4)) : BigInt(vaddr);
  switch (call) {
    case 'VFIO_GET_API_VERSION':
      return { request: 0x3b64, arg: 0 };
    case 'VFIO_CHECK_EXTENSION':
      return { request: 0x3b65, arg: given.id ?? 0 };
    case 'VFIO_SET_IOMMU':
      return { request: 0x3b66, arg: given.type ?? 0 };
    case 'VFIO_GROUP_GET_STATUS':
      return { request: 0x3b67, arg: struct([argsz, 0]) };
    case 'VFIO_GROUP_SET_CONTAINER':
      return { request: 0x3b68, arg: struct([fdOf(given.container ?? '')]) };
    case 'VFIO_GROUP_UNSET_CONTAINER':
      return { request: 0x3b69, arg: 0 };
    case 'VFIO_GROUP_GET_DEVICE_FD':
      return { request: 0x3b6a, arg: new TextEncoder().encode(`${given.name ?? ''}\0`).buffer };
    case 'VFIO_IOMMU_GET_INFO':
      return { request: 0x3b70, arg: struct([argsz], [], 4096) };
    case 'VFIO_IOMMU_MAP_DMA':
      return { request: 0x3b71, arg: struct([argsz, flags], [user, BigInt(iova), BigInt(size)]) };
    case 'VFIO_IOMMU_UNMAP_DMA':
      return { request: 0x3b72, arg: struct([argsz, flags], [BigInt(iova), BigInt(size)]) };
    case 'VFIO_IOMMU_DIRTY_PAGES':
      return {
        request: 0x3b75,
        arg: struct([argsz, flags], [BigInt(iova), BigInt(size), 0x1000n, 16n, BigInt(bitmap)]),
      };
    default:
      return { request: Number(given.cmd), arg: 0 };
  }
}

/** The recorded form of what a call left in its argument. */
export function resultOf(
  { call, in: given, ret }: RecordedCall,
  arg: number | ArrayBuffer,
  bitmap: (into: Uint8Array) => void,
): Record<string, unknown> {
  if (typeof arg === 'number') return {};
  const view = new DataView(arg);
  if (call === 'VFIO_IOMMU_UNMAP_DMA') return { size: hex(view.getBigUint64(16, true)) };
  if (call === 'VFIO_IOMMU_DIRTY_PAGES' && given.flags === 4) {
    const words = new BigUint64Array(2);
    bitmap(new Uint8Array(words.buffer));
    return { bitmap: [...words].map(hex) };
  }
  if (ret < 0) return {};
  if (call === 'VFIO_IOMMU_GET_INFO') return info(view);
  if (call !== 'VFIO_GROUP_GET_STATUS') return {};
  const flags = view.getUint32(4, true);
  return { flags, viable: flags & 1, container_set: (flags >> 1) & 1 };
}

function info(view: DataView): Record<string, unknown> {
  const caps = [];
  const first = view.getUint32(16, true);
  for (let off = first; off !== 0; off = view.getUint32(off + 4, true)) caps.push(capability(view, off));
  return {
    argsz: view.getUint32(0, true),
    flags: view.getUint32(4, true),
    iova_pgsizes: hex(view.getBigUint64(8, true)),
    cap_offset: first,
    ...(first === 0 ? {} : { caps }),
  };
}

function capability(view: DataView, off: number): Record<string, unknown> {
  const [id, version, next] = [view.getUint16(off, true), view.getUint16(off + 2, true), view.getUint32(off + 4, true)];
  const header = { off, id, version, next };
  const word = view.getUint32(off + 8, true);
  switch (id) {
    case 1:
      return {
        ...header,
        nr_iovas: word,
        iova_ranges: Array.from({ length: word }, (_, i) => ({
          start: hex(view.getBigUint64(off + 16 + 16 * i, true)),
          end: hex(view.getBigUint64(off + 24 + 16 * i, true)),
        })),
      };
    case 2:
      return {
        ...header,
        mig_flags: word,
        pgsize_bitmap: hex(view.getBigUint64(off + 16, true)),
        max_dirty_bitmap_size: hex(view.getBigUint64(off + 24, true)),
      };
    default:
      return { ...header, dma_avail: word };
  }
}

/** Words, then doublewords, then nothing up to `sizeBytes`. */
function struct(words: readonly number[], doublewords: readonly bigint[] = [], sizeBytes = 0): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(Math.max(sizeBytes, words.length * 4 + doublewords.length * 8)));
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  doublewords.forEach((doubleword, i) => view.setBigUint64(4 * words.length + 8 * i, doubleword, true));
  return view.buffer;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
