// SPDX-License-Identifier: Apache-2.0
// An SMMU model between toys: sparse RAM of 64-bit words, wires that count their edges, a command queue.

import { layouts, regs, SmmuV3Model } from '@irqkit/smmu-v3';
import { physAddr } from '@irqkit/core';
import type {
  Dma,
  DmaPort,
  DmaPorts,
  FirmwareNode,
  IrqLine,
  ModelLog,
  PhysAddr,
  RamWindow,
  Requester,
  Silicon,
} from '@irqkit/core';

export const RAM_BASE = 0x4000_0000;
export const RAM_BYTES = 0x1000_0000;
export const CMDQ = 0x4e00_0000;
export const EVENTQ = 0x4e10_0000;
export const LOG2_QUEUE = 6;
const PAGE = 0x1000;

/** Pages appear when they are written; the others read as zero. */
export class ToyRam implements Dma {
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();

  load(pa: PhysAddr, into: Uint8Array): boolean {
    if (!contains(pa, into.length)) return false;
    for (let i = 0; i < into.length; i++) into[i] = this.#pages.get(pageOf(pa + i))?.[(pa + i) % PAGE] ?? 0;
    return true;
  }

  store(pa: PhysAddr, from: Uint8Array): boolean {
    if (!contains(pa, from.length)) return false;
    from.forEach((byte, i) => (this.#page(pa + i)[(pa + i) % PAGE] = byte));
    return true;
  }

  load64(pa: PhysAddr, into: Uint32Array): boolean {
    if (!contains(pa, 8) || pa % 8 !== 0) return false;
    const page = this.#pages.get(pageOf(pa));
    const view = page && new DataView(page.buffer);
    into[0] = view?.getUint32(pa % PAGE, true) ?? 0;
    into[1] = view?.getUint32((pa % PAGE) + 4, true) ?? 0;
    return true;
  }

  write64(pa: number, value: bigint): void {
    new DataView(this.#page(pa).buffer).setBigUint64(pa % PAGE, value, true);
  }

  read64(pa: number): bigint {
    const page = this.#pages.get(pageOf(pa));
    return page ? new DataView(page.buffer).getBigUint64(pa % PAGE, true) : 0n;
  }

  window(pa: PhysAddr): RamWindow | undefined {
    const base = physAddr(pageOf(pa));
    const page = this.#pages.get(pageOf(pa));
    return page && { base, words: new Uint32Array(page.buffer) };
  }

  clear(): void {
    for (const page of this.#pages.values()) page.fill(0);
  }

  #page(pa: number): Uint8Array<ArrayBuffer> {
    const at = pageOf(pa);
    const page = this.#pages.get(at) ?? new Uint8Array(PAGE);
    this.#pages.set(at, page);
    return page;
  }
}

const pageOf = (pa: number): number => pa - (pa % PAGE);
const contains = (pa: number, bytes: number): boolean => pa >= RAM_BASE && pa + bytes <= RAM_BASE + RAM_BYTES;

export interface RigOptions {
  readonly silicon?: Silicon;
  readonly names?: readonly string[];
  readonly dma?: Dma;
}

/** A 64-bit address as the bus gives it to the model. */
export function words(address: bigint): { hi: number; lo: number } {
  return { hi: Number(BigInt.asIntN(32, address >> 32n)), lo: Number(BigInt.asIntN(32, address)) };
}

export class SmmuRig {
  readonly ram = new ToyRam();
  readonly model: SmmuV3Model;
  /** Edges on each wire, by name. */
  readonly edges: Record<string, number> = {};
  /** Messages, and what answers them. */
  readonly messages: { address: number; data: number }[] = [];
  answersMessages = true;
  readonly guest: string[] = [];
  readonly unimp: string[] = [];
  #prod = 0;

  constructor({ silicon = {}, names = ['eventq', 'priq', 'cmdq-sync', 'gerror'], dma = this.ram }: RigOptions = {}) {
    const node = { path: '/smmuv3@9050000', strings: () => names } as unknown as FirmwareNode;
    const lines = names.map((name): IrqLine => {
      this.edges[name] = 0;
      return { set: (level) => void (level && this.edges[name]++) };
    });
    const port = {
      write32: (address: number, data: number) => {
        this.messages.push({ address, data });
        return this.answersMessages;
      },
    } as unknown as DmaPort;
    const ports: DmaPorts = { port: () => port };
    const log: ModelLog = { guest: (format) => this.guest.push(format), unimp: (format) => this.unimp.push(format) };
    this.model = new SmmuV3Model(node, silicon, dma, lines, ports, log);
  }

  read(register: { readonly offset: number }): number {
    return this.model.frames[0].read(register.offset, 4, CPU);
  }

  write(register: { readonly offset: number }, value: number): void {
    this.model.frames[0].write(register.offset, value, 4, CPU);
  }

  write64(register: { readonly offset: number }, value: bigint): void {
    this.model.frames[0].write64?.(register.offset, Number(value & 0xffff_ffffn), Number(value >> 32n), CPU);
  }

  /** Queues of 64 entries, the event interrupt, and then what `cr0` enables. */
  start({ strtab, cfg, cr0 = 0xd }: { strtab: bigint; cfg: number; cr0?: number }): void {
    this.write(regs.CR0, 0);
    this.write(regs.CR2, regs.CR2.RECINVSID.mask);
    this.write64(regs.STRTAB_BASE, strtab);
    this.write(regs.STRTAB_BASE_CFG, cfg);
    this.write64(regs.CMDQ_BASE, BigInt(CMDQ + LOG2_QUEUE));
    this.write64(regs.EVENTQ_BASE, BigInt(EVENTQ + LOG2_QUEUE));
    this.write(regs.CMDQ_CONS, 0);
    this.write(regs.CMDQ_PROD, 0);
    this.write(regs.EVENTQ_PROD, 0);
    this.write(regs.EVENTQ_CONS, 0);
    this.write(regs.IRQ_CTRL, regs.IRQ_CTRL.EVENTQ_IRQEN.mask | regs.IRQ_CTRL.GERROR_IRQEN.mask);
    this.write(regs.CR0, cr0);
    this.#prod = 0;
  }

  /** Puts commands of two doublewords into the queue and has them run; gives CMDQ_CONS.ERR where that is active, which is acknowledged. */
  run(...commands: readonly (readonly [bigint, bigint])[]): number {
    for (const [low, high] of commands) {
      const at = CMDQ + (this.#prod % 2 ** LOG2_QUEUE) * 16;
      this.ram.write64(at, low);
      this.ram.write64(at + 8, high);
      this.#prod = (this.#prod + 1) % 2 ** (LOG2_QUEUE + 1);
    }
    this.write(regs.CMDQ_PROD, this.#prod);
    if (((this.read(regs.GERROR) ^ this.read(regs.GERRORN)) & regs.GERROR.CMDQ_ERR.mask) === 0) return 0;
    const error = regs.CMDQ_CONS.ERR(this.read(regs.CMDQ_CONS));
    this.#prod = regs.CMDQ_CONS.RD(this.read(regs.CMDQ_CONS));
    this.write(regs.CMDQ_PROD, this.#prod);
    this.write(regs.GERRORN, this.read(regs.GERROR));
    return error;
  }

  /** CFGI_ALL, TLBI_NSNH_ALL, CMD_SYNC. */
  invalidateAll(): void {
    this.run([0x04n, 0x1fn], [0x30n, 0n], [0x46n, 0n]);
  }

  translate(sid: number, address: bigint, write: boolean, ssid = -1): number {
    const { hi, lo } = words(address);
    return this.model.translateWords(sid, ssid, hi, lo, write);
  }

  /** The records since the last call, four doublewords each, which are then consumed. */
  events(): bigint[][] {
    const records: bigint[][] = [];
    const prod = this.read(regs.EVENTQ_PROD);
    let cons = regs.EVENTQ_CONS.RD(this.read(regs.EVENTQ_CONS));
    while (cons !== regs.EVENTQ_PROD.WR(prod)) {
      const at = EVENTQ + (cons % 2 ** LOG2_QUEUE) * layouts.EVENT.bytes;
      records.push([0, 8, 16, 24].map((i) => this.ram.read64(at + i)));
      cons = (cons + 1) % 2 ** (LOG2_QUEUE + 1);
    }
    this.write(regs.EVENTQ_CONS, regs.EVENTQ_CONS.OVACKFLG.set(cons, regs.EVENTQ_PROD.OVFLG(prod)));
    return records;
  }
}

export const CPU: Requester = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 };
export const pa = (address: number): PhysAddr => physAddr(address);

/** The words of a record, for the layout. */
export function recordWords(record: readonly bigint[]): Uint32Array {
  return Uint32Array.from(record.flatMap((word) => [Number(word & 0xffff_ffffn), Number(word >> 32n)]));
}
