// SPDX-License-Identifier: Apache-2.0
// Layouts of device, collection and interrupt translation table entries, which the architecture leaves to implementations.
// Sources: Linux Documentation/virt/kvm/devices/arm-vgic-its.rst, "ITS Table ABI REV0"; QEMU 7.2's tables as its captures
// hold them (shared data, replay/D).

import { word } from '@irqkit/bits';

/** An unsigned number within an entry. */
export interface EntryField {
  (words: Uint32Array): number;
  put(words: Uint32Array, content: number): void;
}

export interface TableLayout {
  readonly name: string;
  readonly DTE: {
    readonly bytes: number;
    readonly Valid: EntryField;
    /** Bits [51:8] of the address. */
    readonly ITT_addr: EntryField;
    /** EventID bits, minus one. */
    readonly Size: EntryField;
    readonly next?: EntryField;
  };
  readonly CTE: {
    readonly bytes: number;
    readonly Valid: EntryField;
    readonly RDbase: EntryField;
    /** Where entries name their collection, the table is a list that ends at the first invalid entry; else it is indexed. */
    readonly ICID?: EntryField;
  };
  readonly ITE: {
    readonly bytes: number;
    readonly Valid: EntryField;
    readonly pINTID: EntryField;
    readonly ICID: EntryField;
    readonly next?: EntryField;
    /** The words of a valid entry before its fields are put. */
    readonly blank: readonly number[];
  };
}

/** A field of up to 52 bits that crosses from the first word of an entry into the second. */
function span(hi: number, lo: number): EntryField {
  const low = 2 ** (32 - lo);
  const highMask = 2 ** (hi - 31) - 1;
  const read = (words: Uint32Array): number => (words[1] & highMask) * low + (words[0] >>> lo);
  const put = (words: Uint32Array, content: number): void => {
    words[0] = (words[0] & ~(-1 << lo)) | ((content % low) << lo);
    words[1] = (words[1] & ~highMask) | (Math.floor(content / low) & highMask);
  };
  return Object.assign(read, { put });
}

const kvmLpi = span(47, 16);

export const KVM_REV0: TableLayout = {
  name: 'KVM revision 0',
  DTE: { bytes: 8, Valid: word(63), next: word(62, 49), ITT_addr: span(48, 5), Size: word(4, 0) },
  CTE: { bytes: 8, Valid: word(63), RDbase: span(51, 16), ICID: word(15, 0) },
  // An LPI of 0 is what makes an entry invalid.
  ITE: { bytes: 8, Valid: kvmLpi, next: word(63, 48), pINTID: kvmLpi, ICID: word(15, 0), blank: [0, 0] },
};

export const QEMU_7_2: TableLayout = {
  name: 'QEMU 7.2',
  DTE: { bytes: 8, Valid: word(0), Size: word(5, 1), ITT_addr: span(49, 6) },
  CTE: { bytes: 8, Valid: word(0), RDbase: word(16, 1) },
  // A valid entry of a physical LPI has bit 1 set and 1023, no doorbell, in its third word.
  ITE: { bytes: 12, Valid: word(0), pINTID: word(25, 2), ICID: word(47, 32), blank: [0b10, 0, 1023] },
};

/** GITS_TYPER.ITT_entry_size selects among these. */
export const LAYOUTS: readonly TableLayout[] = [KVM_REV0, QEMU_7_2];
