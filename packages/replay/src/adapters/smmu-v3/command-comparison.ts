// SPDX-License-Identifier: Apache-2.0
// The command queue: bytes from snapshots, beside QEMU's decode of what it ran.

import { isAccess } from '../../capture/capture.js';
import type { CapturedAccess, CapturedEvent } from '../../capture/capture.js';
import type { ReplaySession } from '../../replay-session.js';
import { commandName, decodedOperands, joined, rangeText, tracedOperands, tracedRange } from './command-operands.js';
import type { TracedRange } from './command-operands.js';
import { queuedCommands } from './queued-commands.js';
import type { QueuedCommand } from './queued-commands.js';

export const COMMANDS = 'SMMU commands';
export const OPERANDS = 'SMMU command operands';

/** Without operands, or with such as say nothing of the command's own. */
const BARE = ['cmdq_consume_out', 'cmdq_tlbi_nh', 'cmdq_tlbi_nsnh'];

export class CommandComparison {
  readonly #session: ReplaySession;
  readonly #queued: readonly QueuedCommand[];
  /** How many of them writes of CMDQ_PROD have handed over. */
  #nrHandedOver = 0;
  /** Those of them that a snapshot has. */
  readonly #known: QueuedCommand[] = [];
  /** How many of these QEMU has said that it runs. */
  #nrRun = 0;
  readonly #isTraced: boolean;
  /** The one that QEMU runs, until its operands are compared. */
  #running: QueuedCommand | undefined;
  #range: { readonly event: CapturedEvent; traced: TracedRange } | undefined;
  #slot = 0;

  constructor(session: ReplaySession, region: string) {
    this.#session = session;
    this.#queued = queuedCommands(session.capture, region, (n) => session.ramAfter(n));
    this.#isTraced = session.capture.records.some((record) => !isAccess(record) && record.event === 'cmdq_opcode');
  }

  /** What a write of CMDQ_PROD hands over and a snapshot has. */
  handOver(access: CapturedAccess): readonly (QueuedCommand & { readonly words: Uint32Array })[] {
    this.#settle();
    const known = [];
    for (; this.#queued[this.#nrHandedOver]?.by === access; this.#nrHandedOver++) {
      const command = this.#queued[this.#nrHandedOver];
      const { words } = command;
      if (words) known.push({ ...command, words });
      else this.#session.tally.notCovered(COMMANDS, 'no snapshot of RAM has them');
      if (words && this.#isTraced) this.#known.push(command);
    }
    return known;
  }

  /** True where the event is of the command queue. */
  event(event: CapturedEvent): boolean {
    const range = tracedRange(event);
    if (range) {
      this.#addRange(event, range);
      return true;
    }
    const operands = tracedOperands(event);
    if (operands !== undefined) {
      this.#compareOperands(event, operands);
      return true;
    }
    switch (event.event) {
      case 'cmdq_consume':
        this.#slot = Number(event.fields.cons);
        return true;
      case 'cmdq_opcode':
        this.#settle();
        this.#compareCommand(event);
        return true;
      default:
        return BARE.includes(event.event);
    }
  }

  finish(): void {
    this.#settle();
    for (const { by, slot, words } of this.#known.slice(this.#nrRun))
      if (words) this.#session.tally.compare(COMMANDS, by, `slot ${slot}`, 'nothing', commandName(words));
  }

  #compareCommand(event: CapturedEvent): void {
    const running = this.#known[this.#nrRun++] as QueuedCommand | undefined;
    this.#running = running;
    const got = running?.words ? `${commandName(running.words)} in slot ${running.slot}` : 'nothing';
    const expected = `${String(event.fields.cmd).replace(/^SMMU_/, '')} in slot ${this.#slot}`;
    this.#session.tally.compare(COMMANDS, event, 'command queue', expected, got);
  }

  #addRange(event: CapturedEvent, range: TracedRange): void {
    const whole = this.#range && joined(this.#range.traced, range);
    if (this.#range && whole) this.#range.traced = whole;
    else {
      this.#compareRange();
      this.#range = { event, traced: range };
    }
  }

  #compareRange(): void {
    const range = this.#range;
    this.#range = undefined;
    if (range) this.#compareOperands(range.event, rangeText(range.traced));
  }

  #compareOperands(event: CapturedEvent, expected: string): void {
    const running = this.#running;
    this.#running = undefined;
    const got = (running?.words && decodedOperands(running.words)) ?? 'nothing';
    this.#session.tally.compare(OPERANDS, event, running ? `slot ${running.slot}` : 'command queue', expected, got);
  }

  // A command is done with when the next one is run, or software writes a register.
  #settle(): void {
    this.#compareRange();
    const words = this.#running?.words;
    this.#running = undefined;
    if (words && decodedOperands(words) !== undefined)
      this.#session.tally.notCovered(OPERANDS, `QEMU traces none of this ${commandName(words)}`);
  }
}
