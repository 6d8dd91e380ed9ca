// SPDX-License-Identifier: Apache-2.0
// GICv2 in captures: regions gicd and gicc, events of QEMU's hw/intc/arm_gic.c.
// UNIMP: acknowledges by GICC_AIAR

import { LinuxError, physAddr } from '@irqkit/core';
import type { IrqLine } from '@irqkit/core';
import { gicV2, regs } from '@irqkit/gic-v2';
import type { AdapterRun, CoveredRegion, ReplayAdapter } from '../adapter.js';
import { isAccess } from '../capture/capture.js';
import type { CapturedAccess, CapturedEvent } from '../capture/capture.js';
import type { ReplaySession } from '../replay-session.js';
import { inputChange } from './input-change.js';

const { FIRST_PPI, FIRST_SPI, GICC_IAR, GICC_IIDR, GICD_IIDR, GICD_ISENABLER, GICD_ISPENDR, GICD_TYPER, NR_INTIDS } =
  regs;

/** Devicetree binding arm,gic: first and third cell of a specifier. */
const SPI = 0;
const PPI = 1;
const LEVEL_HIGH = 4;

const READS: Readonly<Record<string, string>> = { gicd: 'GICD reads', gicc: 'GICC reads' };
const DELIVERIES = 'deliveries';
const ENABLES = 'enables and disables';

export const gicV2Adapter: ReplayAdapter = {
  plugin: gicV2,
  regions: ['gicd', 'gicc'],
  silicon: [
    { region: 'gicd', offset: GICD_TYPER.offset, name: 'GICD_TYPER' },
    { region: 'gicd', offset: GICD_IIDR.offset, name: 'GICD_IIDR' },
    { region: 'gicc', offset: GICC_IIDR.offset, name: 'GICC_IIDR' },
  ],
  start: (session, regions) => new GicV2Run(session, regions),
};

interface Acknowledge {
  readonly event: CapturedEvent;
  readonly intid: number;
}

class GicV2Run implements AdapterRun {
  readonly #session: ReplaySession;
  readonly #path: string;
  readonly #distributor: number;
  /** INTIDs of wired inputs whose levels the capture has. */
  readonly #recorded: ReadonlySet<number>;
  /** By processor: acknowledged, its GICC_IAR read still to come. */
  readonly #acknowledged = new Map<number, Acknowledge>();
  readonly #wires = new Map<string, IrqLine | undefined>();
  /** Whose banked registers the last access to the Distributor was to. */
  #cpu = 0;

  constructor(session: ReplaySession, regions: readonly CoveredRegion[]) {
    const distributor = regions.find(({ name }) => name === 'gicd') ?? regions[0];
    this.#session = session;
    this.#path = distributor.path;
    this.#distributor = distributor.base;
    const changes = session.capture.records.map((record) => (isAccess(record) ? undefined : inputChange(record)));
    this.#recorded = new Set(changes.flatMap((change) => (change ? [change.intid] : [])));
    for (const kind of [...regions.map(({ name }) => READS[name]), ENABLES, DELIVERIES]) session.tally.expect(kind);
  }

  access(access: CapturedAccess): void {
    const { region, offset, op, cpu } = access;
    if (region === 'gicc' && offset === GICC_IAR.offset && op === 'r' && cpu >= 0) this.#acknowledge(access);
    else this.#session.perform(access, READS[region]);
    if (region === 'gicd' && cpu >= 0) this.#cpu = cpu;
  }

  event(event: CapturedEvent): boolean {
    if (event.event === 'gic_acknowledge_irq') return this.#expectRead(event);
    if (/^gic_(en|dis)able_irq$/.test(event.event)) return this.#compareEnable(event);
    const change = inputChange(event);
    if (!change) return false;
    const { intid, level } = change;
    const wires = (intid < FIRST_SPI ? change.cpus : [0]).map((cpu) => this.#wire(intid, cpu));
    if (wires.includes(undefined)) return false;
    this.#session.tally.give(`input of INTID ${intid}`, 'wired: level changes from gic_set_irq');
    for (const wire of wires) wire?.set(level);
    return true;
  }

  pendingSpis(): readonly number[] {
    const { access } = this.#session.board;
    const read = (offset: number): number => access.read(physAddr(this.#distributor + offset), 4, 0);
    const nrWords = GICD_TYPER.ITLinesNumber(read(GICD_TYPER.offset)) + 1;
    const pending: number[] = [];
    for (let word = 1; word < nrWords; word++) {
      const bits = read(GICD_ISPENDR.offset + 4 * word);
      for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) pending.push(32 * word + bit);
    }
    return pending;
  }

  finish(): void {
    for (const { event } of this.#acknowledged.values()) this.#withoutRead(event);
  }

  // QEMU traces an acknowledge before the line of the read that made it.
  #expectRead(event: CapturedEvent): boolean {
    const found = /^cpu (\d+) acknowledged irq (\d+)$/.exec(event.text);
    if (!found) return false;
    const cpu = Number(found[1]);
    const former = this.#acknowledged.get(cpu);
    if (former) this.#withoutRead(former.event);
    this.#acknowledged.set(cpu, { event, intid: Number(found[2]) });
    return true;
  }

  // QEMU traces a change after the line of the write that made it.
  #compareEnable(event: CapturedEvent): boolean {
    const found = /^irq (\d+) (enabled|disabled)$/.exec(event.text);
    if (!found) return false;
    const intid = Number(found[1]);
    if (intid >= NR_INTIDS) return false;
    const pa = physAddr(this.#distributor + GICD_ISENABLER.offset + 4 * (intid >>> 5));
    const bits = this.#session.board.access.read(pa, 4, this.#cpu);
    const got = (bits >>> (intid & 31)) & 1 ? 'enabled' : 'disabled';
    this.#session.tally.compare(ENABLES, event, `INTID ${intid}, cpu ${this.#cpu}`, found[2], got);
    return true;
  }

  #withoutRead(event: CapturedEvent): void {
    this.#session.tally.notCovered(event.event, 'no GICC_IAR read follows it');
  }

  #acknowledge(access: CapturedAccess): void {
    const { cpu, lo } = access;
    const captured = GICC_IAR.Interrupt_ID(lo);
    const acknowledged = this.#acknowledged.get(cpu);
    this.#acknowledged.delete(cpu);
    const expected = acknowledged?.intid ?? captured;
    const given = expected === captured && this.#isLacking(captured) ? this.#wire(captured, cpu) : undefined;
    if (given) {
      const records = acknowledged ? [access, acknowledged.event] : [access];
      this.#session.tally.give(
        `input of INTID ${captured}`,
        'not in the capture: raised for GICC_IAR reads',
        ...records,
      );
      given.set(true);
    }
    const got = GICC_IAR.Interrupt_ID(this.#session.perform(access, READS.gicc));
    given?.set(false);
    if (expected >= NR_INTIDS && got >= NR_INTIDS) return;
    const place = `acknowledge by cpu ${cpu}`;
    this.#session.tally.compare(DELIVERIES, acknowledged?.event ?? access, place, `INTID ${expected}`, `INTID ${got}`);
  }

  #isLacking(intid: number): boolean {
    if (intid < FIRST_PPI || intid >= NR_INTIDS) return false;
    return !this.#recorded.has(intid) && !this.#session.isMessage(intid);
  }

  /** Undefined for an INTID that has no input here. */
  #wire(intid: number, cpu: number): IrqLine | undefined {
    const key = intid < FIRST_SPI ? `PPI ${intid} of ${cpu}` : `SPI ${intid}`;
    if (!this.#wires.has(key)) this.#wires.set(key, this.#connect(intid, cpu));
    return this.#wires.get(key);
  }

  #connect(intid: number, cpu: number): IrqLine | undefined {
    const specifier =
      intid < FIRST_SPI ? [PPI, intid - FIRST_PPI, 2 ** (8 + cpu) + LEVEL_HIGH] : [SPI, intid - FIRST_SPI, LEVEL_HIGH];
    try {
      return this.#session.board.wire(this.#path, specifier);
    } catch (error) {
      if (LinuxError.is(error, 'EINVAL')) return undefined;
      throw error;
    }
  }
}
