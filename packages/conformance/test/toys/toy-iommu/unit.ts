// SPDX-License-Identifier: Apache-2.0
// One toy IOMMU as its driver's parts share it.

import { LinuxError } from '@irqkit/core';
import type { Device, DmaMemory, MappedId, MmioRegion } from '@irqkit/core';
import { INVALIDATE, MODE, NR_STREAMS, STREAM } from './regs.js';

export class ToyUnit {
  readonly path: string;
  readonly memory: DmaMemory;
  readonly registers: MmioRegion;
  readonly #devices = new Map<number, Device>();

  constructor(path: string, memory: DmaMemory, registers: MmioRegion) {
    this.path = path;
    this.memory = memory;
    this.registers = registers;
  }

  /** @throws LinuxError ERANGE, EINVAL */
  take(device: Device, ids: readonly MappedId[]): void {
    for (const { id } of ids) {
      if (id >= NR_STREAMS) throw new LinuxError('ERANGE', `${this.path}: there is no stream ${id}`);
      const other = this.#devices.get(id);
      if (other && other !== device)
        throw new LinuxError('EINVAL', `${this.path}: stream ${id} belongs to ${other.name}`);
    }
    for (const { id } of ids) this.#devices.set(id, device);
    this.setStream(device, MODE.BLOCK, 0);
  }

  release(device: Device): void {
    this.setStream(device, MODE.BLOCK, 0);
    this.invalidate();
    for (const sid of this.#streamsOf(device)) this.#devices.delete(sid);
  }

  setStream(device: Device, mode: number, table: number): void {
    const words = new Uint32Array(2);
    STREAM.MODE.put(words, mode);
    STREAM.Table.put(words, table);
    for (const sid of this.#streamsOf(device))
      this.registers.write64(STREAM.offset + sid * STREAM.bytes, words[0], words[1]);
  }

  invalidate(): void {
    this.registers.write(INVALIDATE.offset, 0, 4);
  }

  #streamsOf(device: Device): readonly number[] {
    return [...this.#devices].flatMap(([sid, owner]) => (owner === device ? [sid] : []));
  }
}
