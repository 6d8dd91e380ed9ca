// SPDX-License-Identifier: Apache-2.0
// An SMMUv3 in captures: region smmu, events of QEMU's hw/arm/smmuv3.c and smmu-common.c. What Linux stores in RAM is taken from
// snapshots and, for translation tables, from QEMU's trace of every descriptor it read.

import { hex } from '@irqkit/bits';
import { layouts, regs, smmuV3 } from '@irqkit/smmu-v3';
import type { AdapterRun, CoveredRegion, ReplayAdapter } from '../../adapter.js';
import type { CapturedAccess, CapturedEvent } from '../../capture/capture.js';
import { JsonRecord } from '../../capture/json-lines.js';
import type { ReplaySession } from '../../replay-session.js';
import { gicV3InputChange, inputChange } from '../input-change.js';
import { COMMANDS, CommandComparison, OPERANDS } from './command-comparison.js';
import { FAULTS, compareFault } from './fault-comparison.js';
import { ReplayedSmmus, placeText, targetText } from './replayed-smmus.js';
import { addressOf } from './smmu-unit.js';
import { STANDING, compareStanding } from './standing-comparison.js';
import { reconfiguredStream, storedConfiguration } from './stored-configuration.js';

const { CMDQ_PROD } = regs;
const { CD, TG0_LOG2, TG1_LOG2 } = layouts;

const READS = 'SMMU reads';
const STES = 'STE addresses';
const CDS = 'CD addresses';
const CD_CONTENTS = 'CDs decoded';
const TRANSLATIONS = 'SMMU translations';

const STORED = 'stored in RAM by processors: from the next snapshot';
const OVERLAID = 'stored in RAM by processors: from get_pte, when QEMU read them';
const EVENTS_FILE = 'smmu-events.jsonl';
const FIRST_SPI = 32;

/** Events of which nothing is compared. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^(config_cache_|configs_inv_|iotlb_)/, 'how QEMU caches: what comes of it is compared'],
  [/^(ptw_|find_ste_2lvl$|decode_cd$)/, 'a step of a walk, whose result is compared'],
  [/^(add_mr|reset_exit)$/, 'QEMU setting up its machine'],
];

export const smmuV3Adapter: ReplayAdapter = {
  plugin: smmuV3,
  regions: ['smmu'],
  silicon: (['IDR0', 'IDR1', 'IDR2', 'IDR3', 'IDR4', 'IDR5', 'IIDR', 'AIDR'] as const).map((name) => ({
    region: 'smmu',
    offset: regs[name].offset,
    name,
  })),
  start: (session, regions) => new SmmuV3Run(session, regions),
};

class SmmuV3Run implements AdapterRun {
  readonly #session: ReplaySession;
  readonly #region: CoveredRegion;
  readonly #smmus: ReplayedSmmus;
  readonly #commands: CommandComparison;
  readonly #interrupts: ReadonlySet<number>;
  /** Streams whose configuration is in RAM. */
  readonly #configured = new Set<number>();
  /** Whose configuration QEMU reads. */
  #streamId = 0;

  constructor(session: ReplaySession, [region]: readonly CoveredRegion[]) {
    this.#session = session;
    this.#region = region;
    this.#smmus = new ReplayedSmmus(session, region);
    this.#commands = new CommandComparison(session, region.name);
    const interrupts = session.capture.firmware.find(region.path)?.interrupts ?? [];
    this.#interrupts = new Set(interrupts.flatMap(({ args }) => (args[0] === 0 ? [args[1] + FIRST_SPI] : [])));
    const kinds = [READS, COMMANDS, OPERANDS, STES, CDS, CD_CONTENTS, TRANSLATIONS, FAULTS, STANDING];
    for (const kind of kinds) session.tally.expect(kind);
  }

  access(access: CapturedAccess): void {
    const { op, offset } = access;
    if (op === 'w' && offset === CMDQ_PROD.offset)
      for (const { address, words } of this.#commands.handOver(access)) {
        this.#session.tally.give(COMMANDS, STORED);
        this.#smmus.store(address, words);
        const streamId = reconfiguredStream(words);
        if (streamId !== undefined) this.#configure(streamId, access.n);
      }
    this.#session.perform(access, READS);
    this.#smmus.follow(access);
  }

  event(event: CapturedEvent): boolean {
    const change = inputChange(event) ?? gicV3InputChange(event);
    if (change) return this.raises(change.intid);
    if (event.file !== EVENTS_FILE) return false;
    if (this.#commands.event(event)) return true;
    const record = new JsonRecord(`${this.#session.capture.dir}/${event.file}:${event.line}`, event.fields);
    switch (event.event) {
      case 'get_pte':
        this.#session.tally.give('page table descriptors', OVERLAID);
        this.#smmus.store(record.address('addr'), Uint32Array.from(record.words('val')));
        return true;
      case 'find_ste':
        this.#streamId = record.address('sid');
        if (!this.#configured.has(this.#streamId)) this.#configure(this.#streamId, event.n);
        return true;
      case 'get_ste':
        this.#compareAddress(STES, event, record, this.#smmus.main.model.locateSte(this.#streamId));
        return true;
      case 'get_cd':
        this.#compareAddress(CDS, event, record, this.#smmus.main.model.locateCd(this.#streamId));
        return true;
      case 'decode_cd_tt':
        this.#compareDescriptor(event);
        return true;
      case 'translate_success':
        this.#compareTranslation(event, record);
        return true;
      case 'record_event':
        compareFault(this.#session, this.#smmus.main, event);
        return true;
      // What comes of it are the deliveries.
      case 'trigger_irq':
        return true;
      default:
        return this.#untranslated(event) || this.#leaveOut(event);
    }
  }

  raises(intid: number): boolean {
    return this.#interrupts.has(intid);
  }

  finish(): void {
    this.#commands.finish();
    compareStanding(this.#session, this.#region);
  }

  dispose(): void {
    this.#smmus.dispose();
  }

  #configure(streamId: number, n: number): void {
    const ram = this.#session.ramAfter(n);
    const stored = ram ? storedConfiguration(this.#smmus.main, streamId, ram) : [];
    for (const { what, address, words } of stored) {
      this.#session.tally.give(what, STORED);
      this.#smmus.store(address, words);
    }
    this.#configured.add(streamId);
  }

  #compareAddress(kind: string, event: CapturedEvent, record: JsonRecord, found: number | undefined): void {
    const got = found === undefined ? 'nowhere' : hex(found);
    const place = `StreamID ${hex(this.#streamId)}`;
    this.#session.tally.compare(kind, event, place, hex(record.address('addr')), got);
  }

  #compareDescriptor(event: CapturedEvent): void {
    const found = /^TT\[([01])\]:tsz:(\d+) ttb:(0x[0-9a-f]+) granule_sz:(\d+) had:([01])$/.exec(event.text);
    const address = this.#smmus.main.model.locateCd(this.#streamId);
    const cd = address === undefined ? undefined : this.#smmus.main.load(address, CD.bytes);
    const got = cd && (found?.[1] === '1' ? tableText(cd, 1) : tableText(cd, 0));
    const [, , size, base, granule, had] = found ?? [];
    const expected = `TSZ ${size}, TTB ${base}, granule 2^${granule}, HAD ${had}`;
    this.#session.tally.compare(CD_CONTENTS, event, `StreamID ${hex(this.#streamId)}`, expected, got ?? 'no memory');
  }

  #compareTranslation(event: CapturedEvent, record: JsonRecord): void {
    const streamId = record.integer('sid');
    const iova = record.words('iova');
    const perm = record.string('perm');
    const got = this.#smmus.answer(streamId, iova, perm);
    const expected = targetText(record.address('pa'), perm);
    this.#session.tally.compare(TRANSLATIONS, event, placeText(streamId, iova), expected, got);
  }

  /** An access that went through untouched, or that was aborted without a record. */
  #untranslated(event: CapturedEvent): boolean {
    const kind = /^translate_(bypass|disable|abort)$/.exec(event.event)?.[1];
    const found = /sid=(0x[0-9a-f]+) .*iova:(0x[0-9a-f]{1,16}) is_write=([01])/.exec(event.text);
    if (!kind || !found) return false;
    const [, sid, address, isWrite] = found;
    const streamId = Number(sid);
    const iova = new JsonRecord(event.file, { address }).words('address');
    const pa = this.#smmus.main.translate(streamId, iova, isWrite === '1');
    const expected = targetText(kind === 'abort' ? -1 : addressOf(iova), '');
    this.#session.tally.compare(TRANSLATIONS, event, placeText(streamId, iova), expected, targetText(pa, ''));
    return true;
  }

  #leaveOut({ file, event }: CapturedEvent): boolean {
    const why = LEFT_OUT.find(([names]) => names.test(event))?.[1];
    if (why !== undefined) this.#session.tally.notCovered(`${file}: ${event}`, why);
    return why !== undefined;
  }
}

function tableText(cd: Uint32Array, n: 0 | 1): string {
  const [size, base, granule, had] =
    n === 0
      ? [CD.T0SZ(cd), CD.TTB0(cd), TG0_LOG2[CD.TG0(cd)], CD.HAD0(cd)]
      : [CD.T1SZ(cd), CD.TTB1(cd), TG1_LOG2[CD.TG1(cd)], CD.HAD1(cd)];
  return `TSZ ${size}, TTB ${hex(base)}, granule 2^${granule}, HAD ${had}`;
}
