// SPDX-License-Identifier: Apache-2.0
// An ITS's command queue seen from outside the driver. Offsets and encodings are typed from IHI 0069, section 5.3 "ITS commands"
// and the registers GITS_CBASER, GITS_CWRITER and GITS_CREADR.

import type { Board } from '@irqkit/board';
import { physAddr } from '@irqkit/core';

const COMMAND_BYTES = 32;
const GITS_CBASER = 0x80;
const GITS_CWRITER = 0x88;
const GITS_CREADR = 0x90;
const OFFSET_MASK = 0xf_ffe0;

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
  0x0e: 'MOVALL',
  0x0f: 'DISCARD',
};

export interface QueuedCommand {
  readonly name: string;
  readonly deviceId: number;
  readonly eventId: number;
  readonly intid: number;
  readonly icid: number;
  /** MAPD's Size. */
  readonly size: number;
  readonly valid: boolean;
}

/** A command's eight words from its doublewords. */
export function words(...doublewords: readonly bigint[]): Uint32Array {
  return Uint32Array.from({ length: 8 }, (_, i) =>
    Number(((doublewords[i >> 1] ?? 0n) >> BigInt(32 * (i & 1))) & 0xffff_ffffn),
  );
}

export class ItsQueue {
  readonly #board: Board;
  readonly #its: number;

  /** `its`: the base of the control frame. */
  constructor(board: Board, its: number) {
    this.#board = board;
    this.#its = its;
  }

  /** What has been executed, from the first slot on; the queue must not have wrapped. */
  executed(): readonly QueuedCommand[] {
    const { base } = this.#ring();
    const nr = this.#slotIn(GITS_CREADR);
    return Array.from({ length: nr }, (_, slot) => decode(this.#load(base + slot * COMMAND_BYTES)));
  }

  /** What `work` has executed; the queue must not wrap. */
  during(work: () => void): readonly QueuedCommand[] {
    const before = this.#slotIn(GITS_CREADR);
    work();
    return this.executed().slice(before);
  }

  /**
   * Has the ITS execute `commands`, then SYNCs until the queue has gone round once: the driver's next slot is where it was.
   */
  issue(...commands: readonly Uint32Array[]): void {
    const { base, nrSlots } = this.#ring();
    const first = this.#slotIn(GITS_CWRITER);
    for (let n = 0; n < nrSlots; n++) {
      const slot = (first + n) % nrSlots;
      this.#board.ram.store(physAddr(base + slot * COMMAND_BYTES), bytesOf(commands[n] ?? words(0x05n)));
      const next = (slot + 1) % nrSlots;
      if (n === nrSlots >> 1 || n === nrSlots - 1) this.#write(GITS_CWRITER, next * COMMAND_BYTES);
    }
  }

  #ring(): { readonly base: number; readonly nrSlots: number } {
    const [lo, hi] = [this.#read(GITS_CBASER), this.#read(GITS_CBASER + 4)];
    const base = (hi % 0x10_0000) * 2 ** 32 + (lo - (lo % 0x1000));
    return { base, nrSlots: (((lo & 0xff) + 1) * 0x1000) / COMMAND_BYTES };
  }

  #slotIn(register: number): number {
    return (this.#read(register) & OFFSET_MASK) / COMMAND_BYTES;
  }

  #read(offset: number): number {
    return this.#board.access.read(physAddr(this.#its + offset), 4, 0);
  }

  #write(offset: number, value: number): void {
    this.#board.access.write(physAddr(this.#its + offset), value, 4, 0);
  }

  #load(at: number): Uint32Array {
    const bytes = new Uint8Array(COMMAND_BYTES);
    this.#board.ram.load(physAddr(at), bytes);
    return new Uint32Array(bytes.buffer);
  }
}

function decode(command: Uint32Array): QueuedCommand {
  return {
    name: NAMES[command[0] & 0xff] ?? `0x${(command[0] & 0xff).toString(16)}`,
    deviceId: command[1],
    eventId: command[2],
    intid: command[3],
    icid: command[4] & 0xffff,
    size: command[2] & 0x1f,
    valid: command[5] >>> 31 === 1,
  };
}

function bytesOf(command: Uint32Array): Uint8Array {
  return new Uint8Array(command.slice().buffer);
}
