// SPDX-License-Identifier: Apache-2.0
// What of the recording process's memory is known: addresses outside its buffer appear in MAP_DMA, and notes say what is there.

import type { VfioRecord } from './recording.js';
import type { PlayedProcess } from './played-process.js';

/** What a note says of the memory at the address that it goes with. */
const NOTES: readonly {
  readonly note: RegExp;
  readonly pages: number;
  readonly read: boolean;
  readonly write: boolean;
}[] = [
  { note: /PROT_NONE vma/, pages: 1, read: false, write: false },
  { note: /read-only vma/, pages: 1, read: true, write: false },
  { note: /third page has no vma/, pages: 2, read: true, write: true },
];
const OF_A_BAR = /vaddr is mmap of device BAR/;

/** Lays out a process from the records of its scenario. @returns how many pieces were placed */
export function layOutMemory(played: PlayedProcess, records: readonly VfioRecord[]): number {
  let placed = 0;
  for (const { call, input, note } of records) {
    if (call !== 'VFIO_IOMMU_MAP_DMA' || input.string('vaddr').startsWith('buf')) continue;
    const known = NOTES.find((each) => each.note.test(note));
    if (known && played.place(input.address('vaddr'), known.pages, known)) placed++;
    if (OF_A_BAR.test(note)) {
      played.expectBarAt(input.address('vaddr'));
      placed++;
    }
  }
  return placed;
}
