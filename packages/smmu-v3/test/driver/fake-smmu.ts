// SPDX-License-Identifier: Apache-2.0
// The other side of the driver: a register frame that takes commands out of memory and writes records into it. It checks the
// rules of using them and knows nothing of translation. Offsets and encodings are typed from IHI 0070, chapters 4 and 6.

import { physAddr } from '@irqkit/core';
import type { AccessSize, MmioRegion, PhysAddr } from '@irqkit/core';
import type { FakeMemory } from '@irqkit-test/fake-memory';

export interface Access {
  readonly op: 'r' | 'w';
  readonly offset: number;
  readonly size: 4 | 8;
  readonly value: bigint;
}

export interface Command {
  readonly opcode: number;
  readonly slot: number;
  readonly lo: bigint;
  readonly hi: bigint;
  /** Of CFGI_STE: the entry's first four doublewords as they were then. */
  readonly ste?: readonly bigint[];
}

/** What becomes of a command: taken, refused as illegal, not fetched, or never looked at. */
export type Verdict = 'take' | 'refuse' | 'abort' | 'hang';

export const OPCODE = {
  PREFETCH_CONFIG: 0x01,
  CFGI_STE: 0x03,
  CFGI_ALL: 0x04,
  TLBI_NH_ASID: 0x11,
  TLBI_NH_VA: 0x12,
  TLBI_EL2_ALL: 0x20,
  TLBI_S12_VMALL: 0x28,
  TLBI_S2_IPA: 0x2a,
  TLBI_NSNH_ALL: 0x30,
  RESUME: 0x44,
  SYNC: 0x46,
} as const;

/** As QEMU 7.2's SMMU reads in replay/A. */
export const QEMU_IDR = { 0x00: 0xd40_101a, 0x04: 0x273_0010, 0x0c: 0x1404, 0x14: 0x74, 0x18: 0 } as const;
/** As QEMU 10's with stage 2 alone in replay/A-s2. */
export const STAGE2_IDR = { ...QEMU_IDR, 0x00: 0xd44_1019, 0x0c: 0x1414 } as const;

const REG = {
  CR0: 0x20,
  CR0ACK: 0x24,
  GBPA: 0x44,
  IRQ_CTRL: 0x50,
  IRQ_CTRLACK: 0x54,
  GERROR: 0x60,
  GERRORN: 0x64,
  STRTAB_BASE: 0x80,
  STRTAB_BASE_CFG: 0x88,
  CMDQ_BASE: 0x90,
  CMDQ_PROD: 0x98,
  CMDQ_CONS: 0x9c,
  EVENTQ_BASE: 0xa0,
} as const;
const ADDRESS = 0xf_ffff_ffff_ffe0n;
const ERR = { refuse: 1, abort: 2 } as const;

export class FakeSmmu implements MmioRegion {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  readonly trace: Access[] = [];
  /** False where nobody looks at `trace`: it is long when the driver polls. */
  tracing = true;
  readonly commands: Command[] = [];
  /** Asked of every command. */
  verdict: (command: Command) => Verdict = () => 'take';
  /** Called when GERROR tells of an error, and when a record was written, with the interrupt enabled. */
  onError: () => void = () => undefined;
  onEvent: () => void = () => undefined;
  /** Registers that do not answer: CR0ACK, IRQ_CTRLACK, or GBPA.Update. */
  readonly deaf = new Set<'CR0' | 'IRQ_CTRL' | 'GBPA'>();
  /** Where page 1's registers are. */
  page1 = 0x1_0000;
  readonly registers = new Map<number, number>();
  readonly #memory: FakeMemory;
  #stopped = false;

  constructor(memory: FakeMemory, idr: Readonly<Record<number, number>>, base = 0x905_0000, sizeBytes = 0x2_0000) {
    this.base = physAddr(base);
    this.sizeBytes = sizeBytes;
    this.#memory = memory;
    for (const [offset, value] of Object.entries(idr)) this.registers.set(Number(offset), value);
  }

  at(offset: number): PhysAddr {
    return physAddr(this.base + offset);
  }

  get(offset: number): number {
    return this.registers.get(offset) ?? 0;
  }

  get64(offset: number): bigint {
    return (BigInt(this.get(offset + 4)) << 32n) | BigInt(this.get(offset));
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) throw new Error('registers are of 4 or 8 bytes');
    const value = this.get(offset);
    if (this.tracing) this.trace.push({ op: 'r', offset, size, value: BigInt(value) });
    return value;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw new Error(`write of ${value}`);
    this.#note({ op: 'w', offset, size, value: BigInt(value) });
    this.#store(offset, value);
  }

  write64(offset: number, lo: number, hi: number): void {
    this.#note({ op: 'w', offset, size: 8, value: (BigInt(hi) << 32n) | BigInt(lo) });
    if (this.get(REG.CR0) & 0xf && [REG.STRTAB_BASE, REG.CMDQ_BASE].some((each) => each === offset))
      throw new Error('a base changed while it is in use');
    this.registers.set(offset, lo);
    this.registers.set(offset + 4, hi);
  }

  /** Goes on after 'hang'. */
  wake(): void {
    this.verdict = () => 'take';
    this.#stopped = false;
    this.#consume();
  }

  /** Writes an event record; false where the queue is full, which sets OVFLG. */
  record(...doublewords: readonly bigint[]): boolean {
    const log2Size = this.get(REG.EVENTQ_BASE) & 0x1f;
    const size = 2 ** log2Size;
    const prod = this.get(this.page1 + 0xa8);
    const cons = this.get(this.page1 + 0xac);
    const index = prod & (2 * size - 1);
    if (((index - cons) & (2 * size - 1)) === size) {
      if (prod >>> 31 === cons >>> 31) this.registers.set(this.page1 + 0xa8, (prod ^ 0x8000_0000) >>> 0);
      return false;
    }
    const at = Number(this.get64(REG.EVENTQ_BASE) & ADDRESS) + (index % size) * 32;
    const bytes = this.#memory.at(at, 32);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
    doublewords.forEach((value, n) => view.setBigUint64(n * 8, value, true));
    this.registers.set(this.page1 + 0xa8, ((prod & 0x8000_0000) | ((index + 1) & (2 * size - 1))) >>> 0);
    if (this.get(REG.IRQ_CTRL) & 4) this.onEvent();
    return true;
  }

  /** Toggles bits of GERROR. */
  raise(bits: number): void {
    this.registers.set(REG.GERROR, (this.get(REG.GERROR) ^ bits) >>> 0);
    if (this.get(REG.IRQ_CTRL) & 1) this.onError();
  }

  /** An entry's eight doublewords, found as hardware finds it; undefined where no level 2 table is. */
  ste(sid: number): readonly bigint[] | undefined {
    const table = Number(this.get64(REG.STRTAB_BASE) & 0xf_ffff_ffff_ffc0n);
    const config = this.get(REG.STRTAB_BASE_CFG);
    let entry = table + sid * 64;
    if ((config >>> 16) & 3) {
      const split = (config >>> 6) & 0x1f;
      const descriptor = this.#memory.word64(table + Math.floor(sid / 2 ** split) * 8);
      if ((descriptor & 0x1fn) === 0n) return undefined;
      if ((descriptor & 0x1fn) !== BigInt(split + 1)) throw new Error('Span is not that of a whole level 2 table');
      entry = Number(descriptor & 0xf_ffff_ffff_ffc0n) + (sid % 2 ** split) * 64;
    }
    return Array.from({ length: 8 }, (_, n) => this.#memory.word64(entry + n * 8));
  }

  /** The doublewords of the context descriptor that an entry leads to. */
  cd(sid: number): readonly bigint[] {
    const address = Number((this.ste(sid)?.[0] ?? 0n) & 0xf_ffff_ffff_ffc0n);
    return Array.from({ length: 8 }, (_, n) => this.#memory.word64(address + n * 8));
  }

  #note(access: Access): void {
    if (this.tracing) this.trace.push(access);
  }

  #store(offset: number, value: number): void {
    switch (offset) {
      case REG.CR0:
        this.registers.set(offset, value);
        if (!this.deaf.has('CR0')) this.registers.set(REG.CR0ACK, value);
        this.#consume();
        return;
      case REG.GBPA:
        this.registers.set(offset, this.deaf.has('GBPA') ? value : value & 0x7fff_ffff);
        return;
      case REG.IRQ_CTRL:
        this.registers.set(offset, value);
        if (!this.deaf.has('IRQ_CTRL')) this.registers.set(REG.IRQ_CTRLACK, value);
        return;
      case REG.CMDQ_PROD:
        this.registers.set(offset, value);
        this.#consume();
        return;
      case REG.GERRORN: {
        const acknowledged = (this.get(REG.GERRORN) ^ value) & 1;
        this.registers.set(offset, value);
        if (acknowledged) this.#stopped = false;
        this.#consume();
        return;
      }
      default:
        this.registers.set(offset, value);
    }
  }

  #consume(): void {
    if ((this.get(REG.CR0) & 8) === 0) return;
    const log2Size = this.get(REG.CMDQ_BASE) & 0x1f;
    const mask = 2 ** (log2Size + 1) - 1;
    const queue = Number(this.get64(REG.CMDQ_BASE) & ADDRESS);
    while (!this.#stopped && (this.get(REG.CMDQ_CONS) & mask) !== (this.get(REG.CMDQ_PROD) & mask)) {
      const position = this.get(REG.CMDQ_CONS) & mask;
      const slot = position % 2 ** log2Size;
      const command = this.#fetch(queue + slot * 16, slot);
      const verdict = this.verdict(command);
      if (verdict === 'take') {
        this.commands.push(command);
        this.registers.set(REG.CMDQ_CONS, (this.get(REG.CMDQ_CONS) & ~mask) | ((position + 1) & mask));
        continue;
      }
      this.#stopped = true;
      if (verdict === 'hang') return;
      this.registers.set(REG.CMDQ_CONS, (position | (ERR[verdict] << 24)) >>> 0);
      this.raise(1);
    }
  }

  #fetch(at: number, slot: number): Command {
    const lo = this.#memory.word64(at);
    const opcode = Number(lo & 0xffn);
    const sid = Number(lo >> 32n);
    const ste = opcode === OPCODE.CFGI_STE ? this.ste(sid)?.slice(0, 4) : undefined;
    return { opcode, slot, lo, hi: this.#memory.word64(at + 8), ste };
  }
}
