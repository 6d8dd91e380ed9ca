// SPDX-License-Identifier: Apache-2.0
// An ITS in captures: regions its and its-translater, events of QEMU's hw/intc/arm_gicv3_its.c. What Linux stores in RAM is
// taken from snapshots.

import { hex } from '@irqkit/bits';
import { physAddr } from '@irqkit/core';
import { ItsModel, commands, gicV3Its, regs } from '@irqkit/gic-v3-its';
import type { AdapterRun, CapturedSilicon, CoveredRegion, ReplayAdapter } from '../../adapter.js';
import { isAccess } from '../../capture/capture.js';
import type { CapturedAccess, CapturedEvent } from '../../capture/capture.js';
import type { ReplaySession } from '../../replay-session.js';
import { commandName, decodedText, tracedText } from './command-operands.js';
import { ItsTables } from './its-tables.js';
import { LpiConfiguration } from './lpi-configuration.js';
import { queuedCommands } from './queued-commands.js';
import type { QueuedCommand } from './queued-commands.js';
import { entryName, tracedEntry } from './traced-entry.js';

const { GITS_BASER, GITS_CWRITER, GITS_TRANSLATER, LEVEL1_ENTRY, TRANSLATION_FRAME } = regs;
const { MAPD } = commands;

const READS = 'GITS reads';
const COMMANDS = 'ITS commands';
const OPERANDS = 'ITS command operands';
const ENTRIES = 'ITS table entries';
const MSIS = 'MSIs';

const STORED = 'stored in RAM by processors: from the next snapshot';
const EVENTS_FILE = 'its-events.jsonl';

export const gicV3ItsAdapter: ReplayAdapter = {
  plugin: gicV3Its,
  regions: ['its', 'its-translater'],
  silicon: [
    { region: 'its', offset: regs.GITS_IIDR.offset, name: 'GITS_IIDR' },
    { region: 'its', offset: regs.GITS_TYPER.offset, name: 'GITS_TYPER', value: (lo, hi) => hi * 2 ** 32 + lo },
    { region: 'its', offset: regs.GITS_PIDR2.offset, name: 'GITS_PIDR2' },
    ...Array.from({ length: GITS_BASER.count }, (_, n) => baserSilicon(n)),
  ],
  start: (session, regions) => new GicV3ItsRun(session, regions),
};

/** Type and Entry_Size: the rest is what software wrote before. */
function baserSilicon(n: number): CapturedSilicon {
  const value = (lo: number, hi: number): number => {
    const read = Uint32Array.of(lo, hi);
    const fixed = new Uint32Array(2);
    GITS_BASER.Type.put(fixed, GITS_BASER.Type(read));
    GITS_BASER.Entry_Size.put(fixed, GITS_BASER.Entry_Size(read));
    return fixed[1] * 2 ** 32;
  };
  return { region: 'its', offset: GITS_BASER.offset + n * GITS_BASER.stride, name: `GITS_BASER${n}`, value };
}

class GicV3ItsRun implements AdapterRun {
  readonly #session: ReplaySession;
  readonly #model: ItsModel | undefined;
  readonly #tables: ItsTables;
  readonly #configuration: LpiConfiguration;
  /** Those that no write of GITS_CWRITER has handed over yet. */
  readonly #toCome: QueuedCommand[];
  /** Those that QEMU has not said it runs. */
  readonly #handedOver: QueuedCommand[] = [];
  /** The one that QEMU runs. */
  #running: QueuedCommand | undefined;
  readonly #has: ReadonlySet<string>;

  constructor(session: ReplaySession, regions: readonly CoveredRegion[]) {
    const [{ path }] = regions;
    const model = session.board.models.get(path);
    const control = regions.find(({ name }) => name === 'its');
    const translation = regions.find(({ name }) => name === 'its-translater');
    const base = control?.base ?? (translation?.base ?? 0) - TRANSLATION_FRAME;
    const events = session.capture.records.flatMap((record) => (isAccess(record) ? [] : [record]));
    this.#session = session;
    this.#model = model instanceof ItsModel ? model : undefined;
    this.#tables = new ItsTables(session, base);
    this.#toCome = [...queuedCommands(session.capture, 'its', (n) => session.ramAfter(n))];
    this.#configuration = new LpiConfiguration(session.capture, this.#toCome);
    this.#has = new Set(events.filter(({ file }) => file === EVENTS_FILE).map(({ event }) => event));
    for (const kind of [READS, COMMANDS, OPERANDS, ENTRIES, MSIS]) session.tally.expect(kind);
  }

  access(access: CapturedAccess): void {
    if (access.region === 'its-translater' && access.op === 'w') return this.#message(access);
    if (access.region === 'its' && access.op === 'w' && access.offset === GITS_CWRITER.offset) this.#handOver(access);
    this.#session.perform(access, READS);
  }

  event(event: CapturedEvent): boolean {
    if (event.file !== EVENTS_FILE) return false;
    switch (event.event) {
      case 'process_command':
        return this.#compareSlot(event);
      case 'cmd':
        return this.#compareOperands(event);
      // What comes of a message is compared with it; the other says what the message was.
      case 'msi':
      case 'translation_write':
        return true;
      default:
        return this.#compareEntry(event);
    }
  }

  finish(): void {
    if (!this.#has.has('process_command')) return;
    for (const { by, slot, words } of this.#handedOver)
      if (words) this.#session.tally.compare(COMMANDS, by, `slot ${slot}`, 'nothing', commandName(words));
  }

  #handOver(access: CapturedAccess): void {
    const { tally } = this.#session;
    while (this.#toCome[0]?.by === access) {
      const command = this.#toCome.shift()!;
      const { words } = command;
      if (!words) {
        tally.notCovered(COMMANDS, 'no snapshot of RAM has them');
        continue;
      }
      tally.give('ITS commands', STORED);
      this.#store(command.address, new Uint8Array(words.slice().buffer));
      if (commandName(words) === 'MAPD' && MAPD.V(words) === 1) this.#prepareDevice(access, words);
      this.#configure(command);
      this.#handedOver.push(command);
    }
    if (!this.#has.has('process_command')) this.#handedOver.length = 0;
  }

  // Linux allocates level 2 pages as it needs them, and clears interrupt translation tables.
  #prepareDevice({ n }: CapturedAccess, words: Uint32Array): void {
    const { tally } = this.#session;
    const level1 = this.#tables.level1Address(MAPD.DeviceID(words));
    if (level1 !== undefined) {
      const entry = new Uint32Array(LEVEL1_ENTRY.bytes / 4);
      const known = this.#session.ramAfter(n)?.load(level1, new Uint8Array(entry.buffer)) ?? false;
      const current = this.#tables.load(level1, LEVEL1_ENTRY.bytes);
      if (known && current?.some((word, i) => word !== entry[i])) {
        tally.give('level 1 entries of the device table', STORED);
        this.#store(level1, new Uint8Array(entry.buffer));
      }
    }
    const bytes = 2 ** (MAPD.Size(words) + 1) * (this.#tables.layout?.ITE.bytes ?? 0);
    tally.give('interrupt translation tables', 'stored in RAM by processors: cleared, as Linux does before MAPD');
    this.#store(MAPD.ITT_addr(words), new Uint8Array(bytes));
  }

  #configure(command: QueuedCommand): void {
    const table = this.#session.lpiConfigurationTable();
    const known = table === undefined ? undefined : this.#configuration.at(command, table);
    if (table === undefined || !known) return;
    this.#session.tally.give('LPI configuration bytes', known.why);
    this.#store(table + known.lpi - regs.FIRST_LPI, Uint8Array.of(known.byte));
  }

  #store(address: number, bytes: Uint8Array): void {
    this.#session.board.ram.store(physAddr(address), bytes);
  }

  #compareSlot(event: CapturedEvent): boolean {
    const { slot, opcode } = event.fields;
    const running = this.#handedOver.shift();
    this.#running = running;
    const number = running?.words ? commands.commandNumber(running.words) : undefined;
    const got = number === undefined ? 'nothing' : `${hex(number)} in slot ${running?.slot}`;
    this.#session.tally.compare(
      COMMANDS,
      event,
      'command queue',
      `${hex(Number(opcode))} in slot ${Number(slot)}`,
      got,
    );
    return true;
  }

  #compareOperands(event: CapturedEvent): boolean {
    const running = this.#running;
    this.#running = undefined;
    const got = running?.words ? decodedText(running.words) : 'nothing';
    const place = running ? `slot ${running.slot}` : 'command queue';
    this.#session.tally.compare(OPERANDS, event, place, tracedText(event.fields), got);
    return true;
  }

  // The model has run every command by the time that QEMU's trace of the first is looked at.
  // UNIMP: Table entries that a later command of the same batch wrote again
  #compareEntry(event: CapturedEvent): boolean {
    const name = entryName(event);
    if (name === undefined) return false;
    const write = `${event.event.slice(0, 3)}_write`;
    const entry = tracedEntry(event, name, this.#tables);
    if (!entry) this.#session.tally.notCovered(ENTRIES, 'this layout of the tables has no index');
    else if (this.#session.following(write, (later) => entryName(later) === name))
      this.#session.tally.notCovered(ENTRIES, 'written again by a later command of the same batch');
    else this.#session.tally.compare(ENTRIES, event, name, entry.expected, entry.got);
    return true;
  }

  #message(access: CapturedAccess): void {
    const session = this.#session;
    const before = session.pendingLpis().map(shown);
    const droppedBefore = this.#nrDropped;
    session.deviceWrite(access);
    if (!this.#has.has('msi')) {
      session.tally.notCovered(MSIS, 'no event says what they raised');
      return;
    }
    const raised = session.pendingLpis().map(shown);
    const answer = session.following('msi', () => true);
    const expected = answer ? answerText(answer) : 'nothing';
    const added = raised.filter((lpi) => !before.includes(lpi)).join(', ');
    const isDropped = this.#nrDropped > droppedBefore;
    // One that was pending already stays so.
    const merged = answer && before.includes(targetText(answer)) ? targetText(answer) : 'nothing';
    const result = isDropped ? 'dropped' : added === '' ? merged : added;
    const offset = access.offset + TRANSLATION_FRAME;
    const at = offset === GITS_TRANSLATER.offset ? 'GITS_TRANSLATER' : hex(access.offset);
    const got = `${idText(access.deviceId, access.lo)} -> ${result}`;
    session.tally.compare(MSIS, answer ?? access, `${access.region}: ${at}`, expected, got);
  }

  get #nrDropped(): number {
    return [...(this.#model?.dropped.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }
}

function shown({ intid, redistributor }: { readonly intid: number; readonly redistributor: number }): string {
  return `LPI ${intid} at redistributor ${redistributor}`;
}

function targetText({ fields }: CapturedEvent): string {
  if ('dropped' in fields) return 'dropped';
  return shown({ intid: Number(fields.lpi), redistributor: Number(fields.rdbase) });
}

function answerText(answer: CapturedEvent): string {
  const { devid, eventid } = answer.fields;
  return `${idText(Number(devid), Number(eventid))} -> ${targetText(answer)}`;
}

function idText(deviceId: number, eventId: number): string {
  return `DeviceID ${hex(deviceId)}, EventID ${hex(eventId)}`;
}
