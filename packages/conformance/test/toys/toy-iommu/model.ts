// SPDX-License-Identifier: Apache-2.0
// The toy IOMMU as hardware. It remembers every translation until INVALIDATE is written.

import { LinuxError } from '@irqkit/core';
import type { AccessSize, Dma, IommuModel, MmioModel, ModelLog, PhysAddr, Requester, State } from '@irqkit/core';
import { APERTURE_BYTES, BLOCK_BYTES, CTRL, ENTRY, INVALIDATE, MODE, NR_STREAMS, PAGE_BYTES, STREAM } from './regs.js';

const VERSION = 1;
const FAULT = -1;

interface Translation {
  readonly pa: number;
  readonly read: boolean;
  readonly write: boolean;
}

export class ToyIommuModel implements IommuModel, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  protected ctrl = 0;
  protected readonly streams = new Uint32Array(2 * NR_STREAMS);
  #cache = new Map<number, Translation>();

  constructor(
    private readonly dma: Dma,
    private readonly log: ModelLog,
  ) {}

  read(offset: number, size: AccessSize): number {
    if (offset === CTRL.offset) return this.ctrl;
    return (size === 4 && this.streams[(offset - STREAM.offset) / 4]) || 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return;
    const at = (offset - STREAM.offset) / 4;
    if (offset === CTRL.offset) this.ctrl = CTRL.Enable.set(0, CTRL.Enable(value));
    else if (offset === INVALIDATE.offset) this.#cache.clear();
    else if (at in this.streams) this.streams[at] = value;
  }

  translate(by: Requester, address: number, write: boolean): number {
    const sid = by.streamId;
    if (CTRL.Enable(this.ctrl) === 0 || !(sid >= 0 && sid < NR_STREAMS)) return this.#fault(sid, address);
    const stream = this.streams.subarray(2 * sid, 2 * sid + 2);
    switch (STREAM.MODE(stream)) {
      case MODE.BYPASS:
        return address;
      case MODE.TRANSLATE:
        return this.#translated(stream, sid, address, write);
      default:
        return this.#fault(sid, address);
    }
  }

  save(): State {
    return { version: VERSION, ctrl: this.ctrl, streams: this.streams.slice(), cache: new Map(this.#cache) };
  }

  restore({ version, ctrl, streams, cache }: State): void {
    const isWhole = streams instanceof Uint32Array && streams.length === this.streams.length;
    if (version !== VERSION || typeof ctrl !== 'number' || !isWhole || !(cache instanceof Map))
      throw new LinuxError('EINVAL', 'toy IOMMU: another version or shape');
    this.ctrl = ctrl;
    this.streams.set(streams);
    this.#cache = new Map(cache as Map<number, Translation>);
  }

  /** What a translation is remembered by. */
  protected keyOf(sid: number, page: number): number {
    return page * NR_STREAMS + sid;
  }

  protected permits({ read, write }: Translation, isWrite: boolean): boolean {
    return isWrite ? write : read;
  }

  #translated(stream: Uint32Array, sid: number, address: number, write: boolean): number {
    if (address >= APERTURE_BYTES) return this.#fault(sid, address);
    const page = Math.floor(address / PAGE_BYTES);
    const key = this.keyOf(sid, page);
    const found = this.#cache.get(key) ?? this.#walk(STREAM.Table(stream), page);
    if (!found || !this.permits(found, write)) return this.#fault(sid, address);
    this.#cache.set(key, found);
    return found.pa + (address % PAGE_BYTES);
  }

  #walk(table: number, page: number): Translation | undefined {
    const pagesOfBlock = BLOCK_BYTES / PAGE_BYTES;
    const top = this.#entry(table, Math.floor(page / pagesOfBlock));
    if (!top) return undefined;
    if (ENTRY.Table(top) === 0) return translationOf(top, (page % pagesOfBlock) * PAGE_BYTES);
    const leaf = this.#entry(ENTRY.Address(top), page % pagesOfBlock);
    return leaf && translationOf(leaf, 0);
  }

  #entry(table: number, index: number): Uint32Array | undefined {
    const bytes = new Uint8Array(ENTRY.bytes);
    return this.dma.load((table + index * ENTRY.bytes) as PhysAddr, bytes) ? new Uint32Array(bytes.buffer) : undefined;
  }

  #fault(sid: number, address: number): number {
    this.log.guest('stream %d: no access to 0x%x', sid, address);
    return FAULT;
  }
}

function translationOf(entry: Uint32Array, offset: number): Translation | undefined {
  const [read, write] = [ENTRY.R(entry) === 1, ENTRY.W(entry) === 1];
  return read || write ? { pa: ENTRY.Address(entry) + offset, read, write } : undefined;
}
