// SPDX-License-Identifier: Apache-2.0
// Linux 6.1's own accesses to QEMU's GICv3, made again on the model: every register read and every acknowledge must give what
// it gave there. The ITS is not here, so QEMU's decode in the capture says which LPI each message and each command was for.

import { regs } from '@irqkit/gic-v3';
import { describeWithShared } from '@irqkit-test/env';
import { finalRam, readCapture } from './support/capture.js';
import type { CaptureRecord, GicEvent, ItsEvent, Mmio } from './support/capture.js';
import { GICD, GICR, Machine } from './support/machine.js';

/** As the LPI configuration tables hold them: Linux's one priority, and bit 1, which means nothing. */
const ENABLED = 0xa3;
const DISABLED = 0xa2;

class Replay {
  readonly machine = new Machine();
  readonly disagreements: string[] = [];
  readonly counts = { reads: 0, acknowledges: 0, messages: 0 };
  readonly #records: readonly CaptureRecord[];
  readonly #finalRam: (pa: number) => number | undefined;
  /** (DeviceID, EventID) to LPI and collection, collection to Redistributor, as the commands made them. */
  readonly #events = new Map<string, { lpi: number; icid: number }>();
  readonly #collections = new Map<number, number>();
  readonly #wire = this.machine.model.line([0, 4, 4])!;

  constructor(dir: string) {
    this.#records = readCapture(dir);
    this.#finalRam = finalRam(dir);
    // System registers are not in a capture: as Linux sets them when it boots.
    for (const cpu of [0, 1]) {
      this.machine.msr(cpu, regs.ICC_PMR_EL1, 0xf0);
      this.machine.msr(cpu, regs.ICC_IGRPEN1_EL1, 1);
    }
  }

  run(): this {
    this.#records.forEach((record, at) => {
      if (record.kind === 'mmio') this.#mmio(record);
      else if (record.kind === 'gic') this.#gic(record);
      else this.#its(record, at);
    });
    return this;
  }

  #compare(what: string, got: number, expected: number): void {
    if (got !== expected)
      this.disagreements.push(`${what}: ${got.toString(16)}, ${expected.toString(16)} in the capture`);
  }

  #mmio({ op, region, offset, size, lo, hi }: Mmio): void {
    if (region !== 'gicd' && region !== 'gicr') return;
    const address = (region === 'gicd' ? GICD : GICR) + offset;
    if (op === 'w') {
      if (size === 8) this.machine.write64(address, lo, hi);
      else this.machine.write(address, lo);
      return;
    }
    this.counts.reads++;
    this.#compare(`${region}+${offset.toString(16)}`, this.machine.read(address), lo);
    if (size === 8) this.#compare(`${region}+${(offset + 4).toString(16)}`, this.machine.read(address + 4), hi);
  }

  #gic({ ev, text }: GicEvent): void {
    const [first, second] = [...text.matchAll(/\b(?:0x[0-9a-f]+|\d+)\b/g)].map(([number]) => Number(number));
    switch (ev) {
      case 'gicv3_icc_iar1_read':
        this.counts.acknowledges++;
        return this.#compare(`ICC_IAR1 of CPU ${first}`, this.machine.mrs(first, regs.ICC_IAR1_EL1), second);
      case 'gicv3_icc_eoir_write':
        return this.machine.msr(first, regs.ICC_EOIR1_EL1, second);
      case 'gicv3_redist_send_sgi':
        return this.machine.msr(0, regs.ICC_SGI1R_EL1, second * 2 ** 24 + 2 ** first);
      case 'gicv3_dist_set_irq':
        expect(first).toBe(36);
        return this.#wire.set(text.endsWith('1'));
    }
  }

  #its(event: ItsEvent, at: number): void {
    const { lpis } = this.machine.model;
    if (event.ev === 'msi') {
      this.counts.messages++;
      return lpis.setPending(event.rdbase!, event.lpi!);
    }
    if (event.ev !== 'cmd') return;
    const key = `${event.devid}:${event.eventid}`;
    const mapped = this.#events.get(key);
    const target = this.#collections.get(mapped?.icid ?? -1) ?? -1;
    switch (event.cmd) {
      case 'MAPC':
        return void this.#collections.set(event.icid!, event.rdbase!);
      case 'MAPTI':
        return void this.#events.set(key, { lpi: event.intid!, icid: event.icid! });
      case 'MOVI':
        this.#events.set(key, { lpi: mapped!.lpi, icid: event.icid! });
        return lpis.movePending(target, this.#collections.get(event.icid!)!, mapped!.lpi);
      case 'DISCARD':
        return lpis.clearPending(target, mapped!.lpi);
      case 'INV':
        this.#configure(mapped!.lpi, at);
        return lpis.invalidate(target, mapped!.lpi);
      case 'INVALL':
        return this.#collections.forEach((each) => lpis.invalidateAll(each));
    }
  }

  // A capture has the final bytes of the configuration table only. Linux writes one before each INV: an LPI that it
  // acknowledges before the next INV of the same has been enabled then.
  #configure(lpi: number, at: number): void {
    const pa = this.#table + lpi - regs.FIRST_LPI;
    const acknowledged = new RegExp(`IAR1 read .* value 0x${lpi.toString(16)}$`);
    for (const record of this.#records.slice(at + 1)) {
      if (record.kind === 'gic' && acknowledged.test(record.text)) return this.machine.memory.setByte(pa, ENABLED);
      if (record.kind !== 'its' || record.cmd !== 'INV') continue;
      if (this.#events.get(`${record.devid}:${record.eventid}`)?.lpi === lpi)
        return this.machine.memory.setByte(pa, DISABLED);
    }
    this.machine.memory.setByte(pa, this.#finalRam(pa)!);
  }

  get #table(): number {
    return (this.machine.read(GICR + regs.GICR_PROPBASER.offset) & 0xffff_f000) >>> 0;
  }
}

describeWithShared('Linux 6.1 on QEMU, replayed', () => {
  it.each([
    ['D', { reads: 86, acknowledges: 1020, messages: 136 }],
    ['D-churn', { reads: 116, acknowledges: 1806, messages: 307 }],
    ['A', { reads: 94, acknowledges: 824, messages: 134 }],
  ])('%s: every register read and every acknowledge', (dir, counts) => {
    const replay = new Replay(dir).run();
    expect(replay.disagreements).toEqual([]);
    expect(replay.counts).toEqual(counts);
    expect(replay.machine.messages).toEqual([]);
  });
});
