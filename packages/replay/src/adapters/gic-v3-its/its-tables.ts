// SPDX-License-Identifier: Apache-2.0
// Where an ITS's tables are in guest memory, by its registers. Arm IHI 0069, sections 5.2 and 12.19 (GITS_BASER<n>).

import { physAddr } from '@irqkit/core';
import { LAYOUTS, regs } from '@irqkit/gic-v3-its';
import type { TableLayout } from '@irqkit/gic-v3-its';
import type { ReplaySession } from '../../replay-session.js';

const { GITS_BASER, GITS_BASER_TYPE, GITS_PAGE_BYTES, GITS_TYPER, LEVEL1_ENTRY } = regs;

export class ItsTables {
  readonly #session: ReplaySession;
  readonly #base: number;

  /** `base`: of the control frame. */
  constructor(session: ReplaySession, base: number) {
    this.#session = session;
    this.#base = base;
  }

  /** How entries are laid out; undefined where the model has entries of another size than any layout. */
  get layout(): TableLayout | undefined {
    const bytes = GITS_TYPER.ITT_entry_size(this.#register(GITS_TYPER.offset)) + 1;
    return LAYOUTS.find(({ ITE }) => ITE.bytes === bytes);
  }

  /** The words of a device's entry; undefined where there is no memory for it. */
  deviceEntry(deviceId: number): Uint32Array | undefined {
    const bytes = this.layout?.DTE.bytes ?? 0;
    const baser = this.#baser(GITS_BASER_TYPE.DEVICES);
    if (!baser) return undefined;
    const level1 = this.level1Address(deviceId);
    if (level1 === undefined) return this.load(regs.tableAddress(baser) + deviceId * bytes, bytes);
    const page = this.load(level1, LEVEL1_ENTRY.bytes);
    if (!page || LEVEL1_ENTRY.Valid(page) === 0) return undefined;
    return this.load(LEVEL1_ENTRY.Physical_Address(page) + (deviceId % entriesOf(baser, bytes)) * bytes, bytes);
  }

  /** Where the level 1 entry for a device is; undefined where the device table is flat. */
  level1Address(deviceId: number): number | undefined {
    const baser = this.#baser(GITS_BASER_TYPE.DEVICES);
    if (!baser || GITS_BASER.Indirect(baser) === 0) return undefined;
    const index = Math.floor(deviceId / entriesOf(baser, this.layout?.DTE.bytes ?? 8));
    return regs.tableAddress(baser) + index * LEVEL1_ENTRY.bytes;
  }

  /** The words of a collection's entry in an indexed table. */
  collectionEntry(icid: number): Uint32Array | undefined {
    const bytes = this.layout?.CTE.bytes ?? 0;
    const baser = this.#baser(GITS_BASER_TYPE.COLLECTIONS);
    return baser && this.load(regs.tableAddress(baser) + icid * bytes, bytes);
  }

  /** Words of memory. */
  load(address: number, sizeBytes: number): Uint32Array | undefined {
    const words = new Uint32Array(sizeBytes / 4);
    return this.#session.board.ram.load(physAddr(address), new Uint8Array(words.buffer)) ? words : undefined;
  }

  #baser(type: number): Uint32Array | undefined {
    for (let n = 0; n < GITS_BASER.count; n++) {
      const baser = this.#register(GITS_BASER.offset + n * GITS_BASER.stride);
      if (GITS_BASER.Type(baser) === type) return GITS_BASER.Valid(baser) === 1 ? baser : undefined;
    }
    return undefined;
  }

  #register(offset: number): Uint32Array {
    const { access } = this.#session.board;
    const half = (at: number): number => access.read(physAddr(this.#base + offset + at), 4, 0);
    return Uint32Array.of(half(0), half(4));
  }
}

function entriesOf(baser: Uint32Array, entryBytes: number): number {
  return Math.floor(GITS_PAGE_BYTES[GITS_BASER.Page_Size(baser)] / entryBytes);
}
