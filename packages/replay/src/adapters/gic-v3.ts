// SPDX-License-Identifier: Apache-2.0
// GICv3 in captures: regions gicd and gicr, events of QEMU's hw/intc/arm_gicv3*.c. System registers are not in a capture;
// what came of them is.
// UNIMP: Acknowledges by `ICC_IAR0_EL1`, and EOImode 1

import { LinuxError, physAddr } from '@irqkit/core';
import type { CpuPort, IrqLine } from '@irqkit/core';
import { GicV3Model, gicV3, regs } from '@irqkit/gic-v3';
import type { AdapterRun, CoveredRegion, PendingLpi, ReplayAdapter } from '../adapter.js';
import { isAccess } from '../capture/capture.js';
import type { CapturedAccess, CapturedEvent } from '../capture/capture.js';
import type { ReplaySession } from '../replay-session.js';
import { gicV3InputChange } from './input-change.js';

const { FIRST_PPI, FIRST_SPECIAL, FIRST_SPI, GICD_ISPENDR, GICD_TYPER, GICR_PROPBASER } = regs;
const { ICC_EOIR1_EL1, ICC_IAR1_EL1, ICC_IGRPEN1_EL1, ICC_PMR_EL1, ICC_SGI1R_EL1 } = regs;

/** Devicetree binding arm,gic-v3: first and third cell of a specifier. */
const SPI = 0;
const LEVEL_HIGH = 4;

/** What Linux lets through: all but the lowest priority that a GIC of 16 levels has. @linux DEFAULT_PMR_VALUE */
const LINUX_PMR = 0xf0;

const READS: Readonly<Record<string, string>> = { gicd: 'GICD reads', gicr: 'GICR reads' };
const DELIVERIES = 'deliveries';

export const gicV3Adapter: ReplayAdapter = {
  plugin: gicV3,
  regions: ['gicd', 'gicr'],
  silicon: [
    { region: 'gicd', offset: GICD_TYPER.offset, name: 'GICD_TYPER' },
    { region: 'gicd', offset: regs.GICD_TYPER2.offset, name: 'GICD_TYPER2' },
    { region: 'gicd', offset: regs.GICD_IIDR.offset, name: 'GICD_IIDR' },
    { region: 'gicr', offset: regs.GICR_CTLR.offset, name: 'GICR_CTLR' },
    { region: 'gicr', offset: regs.GICR_IIDR.offset, name: 'GICR_IIDR' },
    { region: 'gicr', offset: regs.GICR_TYPER.offset, name: 'GICR_TYPER' },
    { region: 'gicr', offset: regs.GICR_WAKER.offset, name: 'GICR_WAKER' },
  ],
  start: (session, regions) => new GicV3Run(session, regions),
};

class GicV3Run implements AdapterRun {
  readonly #session: ReplaySession;
  readonly #path: string;
  readonly #bases: ReadonlyMap<string, number>;
  readonly #model: GicV3Model | undefined;
  /** Processors by Affinity_Value, which is what QEMU calls them by. */
  readonly #cpus: ReadonlyMap<number, number>;
  /** INTIDs of wired inputs whose levels the capture has. */
  readonly #recorded: ReadonlySet<number>;
  /** Processors whose CPU interface is set up. */
  readonly #setUp = new Set<number>();
  readonly #wires = new Map<string, IrqLine | undefined>();

  constructor(session: ReplaySession, regions: readonly CoveredRegion[]) {
    const [{ path }] = regions;
    const model = session.board.models.get(path);
    this.#session = session;
    this.#path = path;
    this.#bases = new Map(regions.map(({ name, base }) => [name, base]));
    this.#model = model instanceof GicV3Model ? model : undefined;
    this.#cpus = new Map(session.board.bus.cpus.mpidr.map((mpidr, cpu) => [affinityValue(mpidr), cpu]));
    const changes = session.capture.records.map((record) => (isAccess(record) ? undefined : gicV3InputChange(record)));
    this.#recorded = new Set(changes.flatMap((change) => (change ? [change.intid] : [])));
    for (const kind of [...regions.map(({ name }) => READS[name]), DELIVERIES]) session.tally.expect(kind);
  }

  access(access: CapturedAccess): void {
    this.#session.perform(access, READS[access.region]);
  }

  event(event: CapturedEvent): boolean {
    switch (event.event) {
      case 'gicv3_icc_iar1_read':
        return this.#acknowledge(event);
      case 'gicv3_icc_eoir_write':
        return this.#endOfInterrupt(event);
      case 'gicv3_redist_send_sgi':
        return this.#sgi(event);
      case 'gicv3_dist_badread':
        this.#session.tally.notCovered(event.event, 'a remark of QEMU on a read, which is itself compared');
        return true;
      default:
        return this.#level(event);
    }
  }

  pendingSpis(): readonly number[] {
    const nrWords = GICD_TYPER.ITLinesNumber(this.#read('gicd', GICD_TYPER.offset)) + 1;
    const pending: number[] = [];
    for (let word = 1; word < nrWords; word++) {
      const bits = this.#read('gicd', GICD_ISPENDR.offset + 4 * word);
      for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) pending.push(32 * word + bit);
    }
    return pending;
  }

  pendingLpis(): readonly PendingLpi[] {
    const pending: PendingLpi[] = [];
    this.#model?.lpis.redistributors.forEach((each, redistributor) =>
      each.forEachPending((intid) => pending.push({ intid, redistributor })),
    );
    return pending;
  }

  lpiConfigurationTable(): number | undefined {
    const { offset, Physical_Address } = GICR_PROPBASER;
    const table = Physical_Address(Uint32Array.of(this.#read('gicr', offset), this.#read('gicr', offset + 4)));
    return table === 0 ? undefined : table;
  }

  #acknowledge(event: CapturedEvent): boolean {
    const found = /ICC_IAR1 read cpu 0x([0-9a-f]+) value 0x([0-9a-f]+)$/.exec(event.text);
    const cpu = this.#cpuOf(found?.[1]);
    if (!found || cpu === undefined) return false;
    const expected = parseInt(found[2], 16);
    this.#setUpInterface(cpu);
    const given = this.#isLacking(expected) ? this.#wire(expected, cpu) : undefined;
    if (given) {
      this.#session.tally.give(`input of INTID ${expected}`, 'not in the capture: raised for acknowledges', event);
      given.set(true);
    }
    const got = this.#onCpu(cpu, (registers) => registers.read(ICC_IAR1_EL1.sysreg)) ?? 0;
    given?.set(false);
    const place = `ICC_IAR1_EL1, cpu ${cpu}`;
    this.#session.tally.compare(DELIVERIES, event, place, `INTID ${expected}`, `INTID ${got}`);
    return true;
  }

  #endOfInterrupt({ text }: CapturedEvent): boolean {
    const found = /ICC_EOIR1 write cpu 0x([0-9a-f]+) value 0x([0-9a-f]+)$/.exec(text);
    const cpu = this.#cpuOf(found?.[1]);
    if (!found || cpu === undefined) return false;
    const intid = parseInt(found[2], 16);
    this.#session.tally.give('ICC_EOIR1_EL1 writes', 'system registers: from gicv3_icc_eoir_write');
    this.#onCpu(cpu, (registers) => registers.write(ICC_EOIR1_EL1.sysreg, intid));
    return true;
  }

  // The event names the receiver alone, and any sender will do.
  #sgi({ text }: CapturedEvent): boolean {
    const found = /redistributor 0x([0-9a-f]+) pending SGI (\d+)$/.exec(text);
    const cpu = this.#cpuOf(found?.[1]);
    if (!found || cpu === undefined) return false;
    const affinity = parseInt(found[1], 16);
    const words = new Uint32Array(2);
    ICC_SGI1R_EL1.Aff3.put(words, affinity >>> 24);
    ICC_SGI1R_EL1.Aff2.put(words, (affinity >>> 16) & 0xff);
    ICC_SGI1R_EL1.Aff1.put(words, (affinity >>> 8) & 0xff);
    ICC_SGI1R_EL1.RS.put(words, (affinity & 0xff) >>> 4);
    ICC_SGI1R_EL1.TargetList.put(words, 2 ** (affinity & 0xf));
    ICC_SGI1R_EL1.INTID.put(words, Number(found[2]));
    this.#session.tally.give('ICC_SGI1R_EL1 writes', 'system registers: from gicv3_redist_send_sgi');
    this.#onCpu(cpu, (registers) => registers.write(ICC_SGI1R_EL1.sysreg, words[0], words[1]));
    return true;
  }

  #level(event: CapturedEvent): boolean {
    const change = gicV3InputChange(event);
    const wire = change && this.#wire(change.intid, 0);
    if (!change || !wire) return false;
    this.#session.tally.give(`input of INTID ${change.intid}`, 'wired: level changes from gicv3_dist_set_irq');
    wire.set(change.level);
    return true;
  }

  #setUpInterface(cpu: number): void {
    if (this.#setUp.has(cpu)) return;
    this.#setUp.add(cpu);
    const why = 'system registers, not in the capture: as Linux sets them before its first acknowledge';
    const { tally } = this.#session;
    tally.give(`ICC_PMR_EL1 0x${LINUX_PMR.toString(16)}`, why);
    tally.give('ICC_IGRPEN1_EL1 0x1', why);
    this.#onCpu(cpu, (registers) => {
      registers.write(ICC_PMR_EL1.sysreg, LINUX_PMR);
      registers.write(ICC_IGRPEN1_EL1.sysreg, 1);
    });
  }

  #onCpu<T>(cpu: number, work: (registers: NonNullable<CpuPort['sysregs']>) => T): T | undefined {
    const { cpus } = this.#session.board.bus;
    return cpus.runOn(cpu, () => cpus.sysregs && work(cpus.sysregs));
  }

  #cpuOf(digits: string | undefined): number | undefined {
    return digits === undefined ? undefined : this.#cpus.get(parseInt(digits, 16));
  }

  #read(region: string, offset: number): number {
    const base = this.#bases.get(region);
    return base === undefined ? 0 : this.#session.board.access.read(physAddr(base + offset), 4, 0);
  }

  #isLacking(intid: number): boolean {
    if (intid < FIRST_PPI || intid >= FIRST_SPECIAL) return false;
    return !this.#recorded.has(intid) && !this.#session.isMessage(intid);
  }

  /** Undefined for an INTID that has no input here. */
  #wire(intid: number, cpu: number): IrqLine | undefined {
    const key = intid < FIRST_SPI ? `PPI ${intid} of ${cpu}` : `SPI ${intid}`;
    if (!this.#wires.has(key)) this.#wires.set(key, this.#connect(intid, cpu));
    return this.#wires.get(key);
  }

  #connect(intid: number, cpu: number): IrqLine | undefined {
    if (intid < FIRST_SPI) return this.#model?.privateLine(cpu, intid);
    try {
      return this.#session.board.wire(this.#path, [SPI, intid - FIRST_SPI, LEVEL_HIGH]);
    } catch (error) {
      if (LinuxError.is(error, 'EINVAL')) return undefined;
      throw error;
    }
  }
}

/** GICR_TYPER.Affinity_Value of an MPIDR: Aff3 next to Aff2. */
function affinityValue(mpidr: number): number {
  return Math.floor(mpidr / 2 ** 32) * 2 ** 24 + (mpidr % 2 ** 24);
}
