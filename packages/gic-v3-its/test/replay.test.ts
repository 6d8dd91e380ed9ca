// SPDX-License-Identifier: Apache-2.0
// The traffic of Linux 6.1's driver on QEMU 7.2 (shared data, replay/), into the model: its accesses in their order, its
// command queue from the RAM snapshot. Tables begin as the driver left them, zeroed but for the first level.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { VIRT_SILICON, commands } from '@irqkit/gic-v3-its';
import type { Dma, PhysAddr } from '@irqkit/core';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { CPU, ItsRig, ToyRam, ToyRedistributors, device } from './its-rig.js';

interface Access {
  readonly n: number;
  readonly op: 'r' | 'w';
  readonly region: string;
  readonly off: string;
  readonly size: number;
  readonly val: string;
  readonly devid?: number;
}

interface ItsEvent {
  readonly n: number;
  readonly ev: string;
  readonly slot: number;
  readonly opcode: string;
  readonly cmd: string;
  readonly devid: number;
  readonly eventid: number;
  readonly icid: number;
  readonly intid: number;
  readonly size: number;
  readonly v: number;
  readonly itt_pa: string;
  readonly rdbase: number;
  readonly lpi: number;
  readonly dropped?: string;
}

interface Snapshot {
  readonly pages: readonly string[];
  readonly contents: Readonly<Record<string, readonly string[]>>;
}

const PAGE = 0x1000;

function lines<T>(capture: string, file: string): T[] {
  return readFileSync(sharedPath('data/replay', capture, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** RAM of 4 KiB pages, as far as a snapshot has them. */
class SnapshotRam extends ToyRam implements Dma {
  readonly pages = new Map<number, Uint8Array>();

  override load(pa: PhysAddr, into: Uint8Array): boolean {
    for (let i = 0; i < into.length; i++) {
      const page = this.pages.get(Math.floor((pa + i) / PAGE));
      if (page === undefined) return false;
      into[i] = page[(pa + i) % PAGE];
    }
    return true;
  }

  override store(pa: PhysAddr, from: Uint8Array): boolean {
    for (let i = 0; i < from.length; i++) {
      const page = this.pages.get(Math.floor((pa + i) / PAGE));
      if (page === undefined) return false;
      page[(pa + i) % PAGE] = from[i];
    }
    return true;
  }

  words(address: number, count: number): Uint32Array {
    const words = new Uint32Array(count);
    if (!this.load(address as PhysAddr, new Uint8Array(words.buffer))) throw new Error(`no page at ${address}`);
    return words;
  }
}

/** What a command's fields are, under the names of QEMU's trace. */
function decode(words: Uint32Array): Partial<ItsEvent> {
  const { MAPD, MAPC, MAPTI, MOVI, INV, DISCARD } = commands;
  const cmd = commands.COMMAND_NAMES[commands.commandNumber(words)];
  switch (cmd) {
    case 'MAPD':
      return {
        cmd,
        devid: MAPD.DeviceID(words),
        size: MAPD.Size(words),
        v: MAPD.V(words),
        itt_pa: `0x${MAPD.ITT_addr(words).toString(16)}`,
      };
    case 'MAPC':
      return { cmd, icid: MAPC.ICID(words), rdbase: MAPC.RDbase(words) / 0x1_0000, v: MAPC.V(words) };
    case 'MAPTI':
      return {
        cmd,
        devid: MAPTI.DeviceID(words),
        eventid: MAPTI.EventID(words),
        icid: MAPTI.ICID(words),
        intid: MAPTI.pINTID(words),
      };
    case 'MOVI':
      return { cmd, devid: MOVI.DeviceID(words), eventid: MOVI.EventID(words), icid: MOVI.ICID(words) };
    case 'INV':
      return { cmd, devid: INV.DeviceID(words), eventid: INV.EventID(words) };
    case 'DISCARD':
      return { cmd, devid: DISCARD.DeviceID(words), eventid: DISCARD.EventID(words) };
    default:
      return { cmd };
  }
}

class Replay {
  readonly rig: ItsRig;
  readonly ram = new SnapshotRam();
  readonly #final = new Map<number, Uint8Array>();
  readonly #accesses: readonly Access[];
  readonly #events: readonly ItsEvent[];
  readonly #queue: number;

  constructor(capture: string) {
    const { pages, contents } = JSON.parse(
      readFileSync(sharedPath('data/replay', capture, 'ram.json'), 'utf8'),
    ) as Snapshot;
    const bytes = gunzipSync(readFileSync(sharedPath('data/replay', capture, 'ram.bin.gz')));
    pages.forEach((page, i) => {
      const content = Uint8Array.from(bytes.subarray(i * PAGE, (i + 1) * PAGE));
      const byGuest = contents[page].some((what) => what === 'its-cmdq' || what === 'its-device-table-L1');
      this.#final.set(Number(page) / PAGE, content);
      this.ram.pages.set(Number(page) / PAGE, byGuest ? content.slice() : new Uint8Array(PAGE));
    });
    this.#queue = Number(pages.find((page) => contents[page].includes('its-cmdq')));
    this.#accesses = lines<Access>(capture, 'mmio.jsonl').filter(({ region }) => region.startsWith('its'));
    this.#events = lines<ItsEvent>(capture, 'its-events.jsonl');
    const redistributors = new ToyRedistributors(this.ram, 2);
    this.rig = new ItsRig({ silicon: VIRT_SILICON, ram: this.ram, redistributors });
  }

  /** Commands whose number and operands, as the queue holds them, are what QEMU decoded. */
  commands(): number {
    const slots = this.#events.filter(({ ev }) => ev === 'process_command');
    const traced = this.#events.filter(({ ev }) => ev === 'cmd');
    expect(traced).toHaveLength(slots.length);
    slots.forEach(({ slot, opcode }, i) => {
      const words = this.ram.words(this.#queue + slot * 32, 8);
      expect(commands.commandNumber(words)).toBe(Number(opcode));
      expect(traced[i]).toMatchObject(decode(words));
    });
    return traced.length;
  }

  /** All accesses in order: counts of what came out as recorded. */
  run(): { reads: number; writes: number; msis: number; dropped: number } {
    const counts = { reads: 0, writes: 0, msis: 0, dropped: 0 };
    const msis = this.#events.filter(({ ev }) => ev === 'msi');
    for (const access of this.#accesses) {
      const offset = Number(access.off) + (access.region === 'its' ? 0 : 0x1_0000);
      if (access.op === 'r') {
        const value = access.size === 8 ? this.rig.read64(offset) : BigInt(this.rig.read(offset));
        expect({ ...access, val: `0x${value.toString(16)}` }).toEqual(access);
        counts.reads++;
      } else if (access.devid !== undefined) {
        const { devid, eventid, lpi, rdbase, dropped } = msis[counts.msis++];
        expect([access.devid, Number(access.val)]).toEqual([devid, eventid]);
        this.rig.calls();
        this.rig.frame.write(offset, Number(access.val), 4, device(access.devid));
        expect(this.rig.calls()).toEqual(dropped === undefined ? [`set ${rdbase} ${lpi}`] : []);
        if (dropped !== undefined) counts.dropped++;
      } else {
        this.#clearItts(access.n);
        if (access.size === 8) this.rig.write64(offset, BigInt(access.val));
        else this.rig.frame.write(offset, Number(access.val), 4, CPU);
        counts.writes++;
      }
    }
    expect(msis).toHaveLength(counts.msis);
    return counts;
  }

  /** Compares device table, collection table and the tables of devices that are mapped in the end with the snapshot. */
  compareTables(): { devices: number; events: number } {
    const mapped = new Map<number, ItsEvent>();
    for (const event of this.#events)
      if (event.cmd === 'MAPD' && event.v === 1) mapped.set(event.devid, event);
      else if (event.cmd === 'MAPD') mapped.delete(event.devid);
    let events = 0;
    for (const { itt_pa, size } of mapped.values()) {
      this.#compare(Number(itt_pa), 2 ** (size + 1) * 12);
      events += 2 ** (size + 1);
    }
    const [deviceTable, collectionTable] = [0x100, 0x108].map((offset) => this.rig.read64(offset));
    expect([deviceTable >> 62n, collectionTable >> 62n]).toEqual([3n, 2n]);
    this.#compare(Number(collectionTable & 0xffff_ffff_0000n), 0x1_0000);
    const level1 = this.ram.words(Number(deviceTable & 0xffff_ffff_0000n), 0x1_0000 / 4);
    for (let index = 0; index < level1.length; index += 2)
      if (level1[index + 1] >>> 31 === 1)
        this.#compare((level1[index + 1] & 0xf_ffff) * 2 ** 32 + level1[index], 0x1_0000);
    return { devices: mapped.size, events };
  }

  #compare(base: number, sizeBytes: number): void {
    const ours = new Uint8Array(this.ram.words(base, sizeBytes / 4).buffer);
    for (let at = 0; at < sizeBytes; at++) {
      const theirs = this.#final.get(Math.floor((base + at) / PAGE))?.[(base + at) % PAGE];
      if (ours[at] !== theirs) throw new Error(`0x${(base + at).toString(16)}: ${ours[at]}, QEMU had ${theirs}`);
    }
  }

  // Linux zeroes an interrupt translation table before it maps it. Stores of processors are not in the capture.
  #clearItts(n: number): void {
    const next = this.#accesses.find((access) => access.n > n)?.n ?? Infinity;
    for (const { n: at, cmd, v, itt_pa, size } of this.#events)
      if (at > n && at < next && cmd === 'MAPD' && v === 1)
        this.ram.store(Number(itt_pa) as PhysAddr, new Uint8Array(2 ** (size + 1) * 12));
  }
}

describeWithShared('recorded traffic of Linux 6.1', () => {
  test.each([
    ['D', 126, { reads: 294, writes: 86, msis: 136, dropped: 0 }, { devices: 8, events: 28 }],
    ['D-churn', 238, { reads: 525, writes: 145, msis: 307, dropped: 0 }, { devices: 8, events: 28 }],
    ['A', 126, { reads: 294, writes: 86, msis: 134, dropped: 0 }, { devices: 8, events: 28 }],
    ['A-vfio', 125, { reads: 294, writes: 86, msis: 107, dropped: 2 }, { devices: 9, events: 30 }],
  ])('%s: every command, read and MSI as QEMU had it', (capture, nrCommands, counts, tables) => {
    const replay = new Replay(capture);
    expect(replay.commands()).toBe(nrCommands);
    expect(replay.run()).toEqual(counts);
    expect(Number(replay.rig.read64(0x90))).toBe(nrCommands * 32);
    expect(replay.rig.unimplemented).toEqual([]);
    const dropped = 'MSI of DeviceID 0x0, EventID 0x0 dropped: UNMAPPED_DEVICE';
    expect(replay.rig.guestErrors).toEqual(counts.dropped > 0 ? [dropped] : []);
    expect(replay.compareTables()).toEqual(tables);
  });
});
