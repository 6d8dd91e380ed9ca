// SPDX-License-Identifier: Apache-2.0
// An ITS to drive: it walks its tables as IHI 0069 section 5.2 lays them out, takes commands from the queue and keeps what they
// say. It throws at a driver that breaks a rule. Offsets and bit numbers are typed from the manual, not taken from regs.ts.

import { FakeFrame } from './fake-registers.js';
import type { Access } from './fake-registers.js';
import type { FakeMemory } from '@irqkit-test/fake-memory';

export interface Command {
  readonly name: string;
  /** The four doublewords. */
  readonly words: readonly bigint[];
  readonly deviceId: number;
  readonly eventId: number;
  readonly intid: number;
  readonly icid: number;
  /** In place: address bits [51:16]. */
  readonly rdbase: bigint;
  readonly valid: boolean;
  /** MAPD: EventID bits, minus one. */
  readonly size: number;
  readonly itt: number;
}

const NAMES: Readonly<Record<number, string>> = {
  0x01: 'MOVI',
  0x03: 'INT',
  0x04: 'CLEAR',
  0x05: 'SYNC',
  0x08: 'MAPD',
  0x09: 'MAPC',
  0x0a: 'MAPTI',
  0x0c: 'INV',
  0x0d: 'INVALL',
  0x0f: 'DISCARD',
};

export interface ItsShape {
  readonly typer?: bigint;
  readonly pidr2?: number;
  /** GITS_BASER<n> after reset. */
  readonly basers?: readonly bigint[];
  /** GITS_BASER<n>.Page_Size encodings that stick. */
  readonly pageSizes?: readonly bigint[];
  readonly indirect?: boolean;
  /** Bits of Shareability that stick, in the BASERs and in CBASER. */
  readonly shareability?: bigint;
}

/** As QEMU 7.2's ITS reads: 16 bits of DeviceID and EventID, ITEs of 12 bytes; a device and a collection table. */
export const QEMU_TYPER = 0x1f_0001_efb1n;
export const QEMU_BASERS = [0x0107_0000_0000_0000n, 0x0407_0000_0000_0000n];

/** What becomes of the next command. */
export type Verdict = 'take' | 'stall' | 'hang';

export class FakeIts extends FakeFrame {
  readonly commands: Command[] = [];
  /** Asked before each command, with its number from 0. */
  verdict: (command: Command, number: number) => Verdict = () => 'take';
  /** Reads of GITS_CTLR for which Quiescent stays 0 after a switch. */
  busyReads = 0;
  readonly devices = new Map<number, { readonly itt: number; readonly size: number }>();
  /** `DeviceID/EventID` to LPI and collection. */
  readonly events = new Map<string, { readonly intid: number; icid: number }>();
  readonly collections = new Map<number, bigint>();
  /** LPIs by what their configuration byte said at the last INV. */
  readonly known = new Map<number, number>();
  ctlr = 0n;
  cbaser = 0n;
  readonly basers: bigint[];
  readonly #memory: FakeMemory;
  readonly #shape: Required<ItsShape>;
  readonly #configTable: () => number;
  readonly #itts = new Set<number>();
  #writer = 0n;
  #reader = 0n;
  #stalled = false;
  #busy = 0;
  #asked = 0;

  constructor(
    base: number,
    parts: { memory: FakeMemory; trace: Access[]; cpu: () => number; configTable: () => number },
    shape: ItsShape = {},
  ) {
    super('its', base, 0x2_0000, parts.trace, parts.cpu);
    this.#memory = parts.memory;
    this.#configTable = parts.configTable;
    this.#shape = {
      typer: QEMU_TYPER,
      pidr2: 0x3b,
      basers: QEMU_BASERS,
      pageSizes: [0n, 1n, 2n],
      indirect: true,
      shareability: 0xc00n,
      ...shape,
    };
    this.basers = Array.from({ length: 8 }, (_, n) => this.#shape.basers[n] ?? 0n);
  }

  /** Where the queue stands, in slots. */
  get slot(): number {
    return Number(this.#reader / 32n);
  }

  protected load(register: number): bigint {
    switch (register) {
      case 0x0000:
        return this.ctlr | (this.#busy-- > 0 || (this.ctlr & 1n) === 1n ? 0n : 1n << 31n);
      case 0x0008:
        return this.#shape.typer;
      case 0x0080:
        return this.cbaser;
      case 0x0088:
        return this.#writer;
      case 0x0090:
        return this.#reader | (this.#stalled ? 1n : 0n);
      case 0xffe8:
        return BigInt(this.#shape.pidr2);
      default:
        if (register >= 0x100 && register < 0x140) return this.basers[(register - 0x100) / 8];
        throw new Error(`GITS + 0x${register.toString(16)} is nothing a driver needs`);
    }
  }

  protected store(register: number, value: bigint): void {
    switch (register) {
      case 0x0000:
        this.#busy = this.busyReads;
        this.ctlr = value & 3n;
        if ((this.ctlr & 1n) === 0n) this.#forget();
        break;
      case 0x0080:
        this.#mustBeOff('GITS_CBASER');
        this.cbaser = value & ~(0xc00n & ~this.#shape.shareability);
        this.#reader = 0n;
        break;
      case 0x0088:
        this.#writer = value & 0xf_ffe0n;
        if ((value & 1n) === 1n) this.#stalled = false;
        this.#take();
        break;
      default:
        if (register < 0x100 || register >= 0x140) throw new Error(`GITS + 0x${register.toString(16)} written`);
        this.#storeBaser((register - 0x100) / 8, value);
    }
  }

  /** Goes on after a hang. */
  wake(): void {
    this.verdict = () => 'take';
    this.#take();
  }

  #storeBaser(n: number, value: bigint): void {
    this.#mustBeOff(`GITS_BASER${n}`);
    const fixed = 0x071f_0000_0000_0000n;
    const reset = this.#shape.basers[n] ?? 0n;
    if (reset === 0n) return;
    let kept = (value & ~fixed) | (reset & fixed);
    if (!this.#shape.pageSizes.includes((kept >> 8n) & 3n)) kept = (kept & ~0x300n) | (this.#shape.pageSizes[0] << 8n);
    if (!this.#shape.indirect) kept &= ~(1n << 62n);
    this.basers[n] = kept & ~(0xc00n & ~this.#shape.shareability);
  }

  #mustBeOff(register: string): void {
    if ((this.load(0) & 0x8000_0001n) !== 0x8000_0000n) throw new Error(`${register} written while the ITS works`);
  }

  #forget(): void {
    this.#itts.clear();
    this.devices.clear();
    this.events.clear();
    this.collections.clear();
  }

  #take(): void {
    if ((this.ctlr & 1n) === 0n) return;
    const queueBytes = ((this.cbaser & 0xffn) + 1n) * 4096n;
    const base = Number(this.cbaser & 0xf_ffff_ffff_f000n);
    while (this.#reader !== this.#writer && !this.#stalled) {
      const command = decode([0, 8, 16, 24].map((at) => this.#memory.word64(base + Number(this.#reader) + at)));
      switch (this.verdict(command, this.#asked)) {
        case 'hang':
          return;
        case 'stall':
          this.#asked++;
          this.#stalled = true;
          return;
        case 'take':
          this.#asked++;
          this.commands.push(command);
          this.#execute(command);
          this.#reader = (this.#reader + 32n) % queueBytes;
      }
    }
  }

  #execute(command: Command): void {
    const { name, deviceId, eventId, icid, valid } = command;
    const event = `${deviceId}/${eventId}`;
    switch (name) {
      case 'MAPD': {
        this.#mustHaveEntry(0, deviceId);
        if (this.devices.has(deviceId))
          for (const key of [...this.events.keys()]) if (key.startsWith(`${deviceId}/`)) this.events.delete(key);
        this.#itts.delete(this.devices.get(deviceId)?.itt ?? 0);
        if (!valid) {
          this.devices.delete(deviceId);
          break;
        }
        if (command.itt % 256 !== 0) throw new Error('ITT misaligned');
        const ittBytes = 2 ** (command.size + 1) * (Number((this.#shape.typer >> 4n) & 0xfn) + 1);
        if (this.#memory.at(command.itt, ittBytes).some((byte) => byte !== 0)) throw new Error('ITT not zero');
        if (this.#itts.has(command.itt)) throw new Error('ITT in use');
        this.#itts.add(command.itt);
        this.devices.set(deviceId, { itt: command.itt, size: command.size });
        break;
      }
      case 'MAPC':
        this.#mustHaveEntry(1, icid);
        if (valid) this.collections.set(icid, command.rdbase);
        else this.collections.delete(icid);
        break;
      case 'MAPTI': {
        const device = this.devices.get(deviceId);
        if (!device || eventId >= 2 ** (device.size + 1)) throw new Error(`MAPTI ${event}: no room`);
        if (this.events.has(event)) throw new Error(`MAPTI ${event}: is mapped`);
        if (!this.collections.has(icid)) throw new Error(`MAPTI ${event}: collection ${icid} is not mapped`);
        this.events.set(event, { intid: command.intid, icid });
        break;
      }
      case 'MOVI':
        if (!this.collections.has(icid)) throw new Error(`MOVI ${event}: collection ${icid} is not mapped`);
        this.#mapped(event).icid = icid;
        break;
      case 'INV': {
        const { intid } = this.#mapped(event);
        this.known.set(intid, this.#memory.at(this.#configTable() + intid - 8192, 1)[0]);
        break;
      }
      case 'DISCARD':
        this.#mapped(event);
        this.events.delete(event);
        break;
      case 'INT':
      case 'CLEAR':
        this.#mapped(event);
        break;
      case 'INVALL':
        if (!this.collections.has(icid)) throw new Error(`INVALL: collection ${icid} is not mapped`);
        break;
      case 'SYNC':
        break;
      default:
        throw new Error(`unknown command ${name}`);
    }
  }

  #mapped(event: string): { readonly intid: number; icid: number } {
    const found = this.events.get(event);
    if (!found) throw new Error(`${event} is not mapped`);
    return found;
  }

  #mustHaveEntry(n: number, id: number): void {
    const baser = this.basers[n];
    if (this.#shape.basers[n] === undefined || this.#shape.basers[n] === 0n) return;
    if (baser >> 63n === 0n) throw new Error(`GITS_BASER${n} is not valid`);
    const entry = Number((baser >> 48n) & 0x1fn) + 1;
    const page = [0x1000, 0x4000, 0x1_0000][Number((baser >> 8n) & 3n)];
    const bytes = (Number(baser & 0xffn) + 1) * page;
    const base = tableBase(baser, page);
    if (((baser >> 62n) & 1n) === 0n) {
      if ((id + 1) * entry > bytes) throw new Error(`GITS_BASER${n}: no entry ${id}`);
      this.#memory.at(base + id * entry, entry);
      return;
    }
    const perPage = Math.floor(page / entry);
    const at = Math.floor(id / perPage) * 8;
    if (at >= bytes) throw new Error(`GITS_BASER${n}: no entry ${id}`);
    const level1 = this.#memory.word64(base + at);
    if (level1 >> 63n === 0n) throw new Error(`GITS_BASER${n}: level 1 entry of ${id} is not valid`);
    this.#memory.at(Number(level1 & 0xf_ffff_ffff_f000n), page);
  }
}

function tableBase(baser: bigint, page: number): number {
  const field = baser & 0xffff_ffff_f000n;
  return page === 0x1_0000 ? Number((field & ~0xf000n) | ((field & 0xf000n) << 36n)) : Number(field);
}

function decode(words: readonly bigint[]): Command {
  const bits = (word: number, hi: bigint, lo: bigint): bigint => (words[word] >> lo) & ((1n << (hi - lo + 1n)) - 1n);
  return {
    name: NAMES[Number(bits(0, 7n, 0n))] ?? `0x${bits(0, 7n, 0n).toString(16)}`,
    words,
    deviceId: Number(bits(0, 63n, 32n)),
    eventId: Number(bits(1, 31n, 0n)),
    intid: Number(bits(1, 63n, 32n)),
    icid: Number(bits(2, 15n, 0n)),
    rdbase: words[2] & 0xf_ffff_ffff_0000n,
    valid: bits(2, 63n, 63n) === 1n,
    size: Number(bits(1, 4n, 0n)),
    itt: Number(words[2] & 0xf_ffff_ffff_ff00n),
  };
}
