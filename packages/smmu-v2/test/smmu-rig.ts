// SPDX-License-Identifier: Apache-2.0
// An SMMU model between toys: sparse RAM of 64-bit words, and wires whose levels are seen.

import { physAddr } from '@irqkit/core';
import type { Dma, FirmwareNode, ModelLog, PhysAddr, Requester, Silicon } from '@irqkit/core';
import { regs, SMMU_V2_SILICON, SmmuV2Model } from '@irqkit/smmu-v2';

export const RAM_BASE = 0x4000_0000;
export const RAM_BYTES = 0x1000_0000;
const PAGE = 0x1000;

/** Pages appear when they are written; the others read as zero. */
export class ToyRam implements Dma {
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();

  load(pa: PhysAddr, into: Uint8Array): boolean {
    if (!contains(pa, into.length)) return false;
    for (let i = 0; i < into.length; i++) into[i] = this.#pages.get(pageOf(pa + i))?.[(pa + i) % PAGE] ?? 0;
    return true;
  }

  store(): boolean {
    return false;
  }

  write64(pa: number, value: bigint): void {
    const page = this.#pages.get(pageOf(pa)) ?? new Uint8Array(PAGE);
    this.#pages.set(pageOf(pa), page);
    new DataView(page.buffer).setBigUint64(pa % PAGE, value, true);
  }

  read64(pa: number): bigint {
    const page = this.#pages.get(pageOf(pa));
    return page ? new DataView(page.buffer).getBigUint64(pa % PAGE, true) : 0n;
  }
}

const pageOf = (pa: number): number => pa - (pa % PAGE);
const contains = (pa: number, bytes: number): boolean => pa >= RAM_BASE && pa + bytes <= RAM_BASE + RAM_BYTES;

export interface RigOptions {
  readonly silicon?: Silicon;
  /** Bytes of `reg`, which the layout of the registers comes from. */
  readonly regBytes?: number;
  readonly nrGlobal?: number;
  readonly nrContext?: number;
  readonly ram?: ToyRam;
}

interface Register {
  readonly offset: number;
}

/** 16 context banks of 4 KiB, two global interrupts. */
export class SmmuRig {
  readonly ram: ToyRam;
  readonly model: SmmuV2Model;
  /** By the order of the interrupts. */
  readonly levels: boolean[] = [];
  readonly guest: string[] = [];
  readonly unimp: string[] = [];
  /** Tables that `map` made. */
  nrTables = 0;
  readonly #contextBanks: number;
  readonly #pageBytes: number;

  constructor(options: RigOptions = {}) {
    const { silicon = SMMU_V2_SILICON, regBytes = 0x2_0000, nrGlobal = 2, nrContext = 16 } = options;
    this.ram = options.ram ?? new ToyRam();
    this.levels = new Array<boolean>(nrGlobal + nrContext).fill(false);
    const node = {
      path: '/iommu@5000000',
      regs: [{ base: physAddr(0x500_0000), sizeBytes: regBytes }],
      interrupts: this.levels.map(() => ({})),
      u32: (property: string) => (property === '#global-interrupts' ? nrGlobal : undefined),
    } as unknown as FirmwareNode;
    const lines = this.levels.map((_, i) => ({ set: (level: boolean) => void (this.levels[i] = level) }));
    const log: ModelLog = { guest: (format) => this.guest.push(format), unimp: (format) => this.unimp.push(format) };
    this.model = new SmmuV2Model(node, silicon, this.ram, lines, log);
    const layout = regs.registerLayout(this.read(regs.IDR1));
    this.#contextBanks = layout.contextBanks;
    this.#pageBytes = layout.pageBytes;
  }

  /** Global register space 0. */
  read({ offset }: Register): number {
    return this.model.frames[0].read(offset, 4, CPU);
  }

  write({ offset }: Register, value: number): void {
    this.model.frames[0].write(offset, value, 4, CPU);
  }

  /** One register of an array in global register space 0, or 1. */
  readAt({ offset }: Register, index: number, space = 0): number {
    return this.read({ offset: space * this.#pageBytes + offset + index * 4 });
  }

  writeAt({ offset }: Register, index: number, value: number, space = 0): void {
    this.write({ offset: space * this.#pageBytes + offset + index * 4 }, value);
  }

  readBank(bank: number, { offset }: Register): number {
    return this.read({ offset: this.#bank(bank) + offset });
  }

  writeBank(bank: number, { offset }: Register, value: number): void {
    this.write({ offset: this.#bank(bank) + offset }, value);
  }

  writeBank64(bank: number, { offset }: Register, value: bigint): void {
    const at = this.#bank(bank) + offset;
    this.model.frames[0].write64?.(at, Number(value & 0xffff_ffffn), Number(value >> 32n), CPU);
  }

  /** Client access on; what no group has faults, and so do conflicts; the interrupts on. */
  start(cr0 = 0x0020_0436): void {
    this.write(regs.CR0, cr0);
  }

  /** One SMR and its S2CR. */
  mapStream(group: number, smr: number, s2cr: number): void {
    this.writeAt(regs.SMR, group, smr);
    this.writeAt(regs.S2CR, group, s2cr);
  }

  translate(sid: number, address: bigint, write = false): number {
    return this.model.translateWords(
      sid,
      Number(BigInt.asIntN(32, address >> 32n)),
      Number(BigInt.asIntN(32, address)),
      write,
    );
  }

  #bank(bank: number): number {
    return this.#contextBanks + bank * this.#pageBytes;
  }
}

export const CPU: Requester = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 };
export const DEVICE: Requester = { kind: 'device', cpu: -1, requesterId: 0x10, streamId: 0x10, deviceId: 0x10 };
