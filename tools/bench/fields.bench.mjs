// SPDX-License-Identifier: Apache-2.0
// Declared fields beside hand-written shifts: six fields of a stream table entry per operation.
import { addr, word } from '@irqkit/bits';

const STE = {
  V: word(0),
  Config: word(3, 1),
  S1Fmt: word(5, 4),
  S1ContextPtr: addr(51, 6),
  S1CDMax: word(63, 59),
  S2VMID: word(143, 128),
};
const entries = 1024;
const table = Array.from({ length: entries }, (_, i) =>
  Uint32Array.from({ length: 16 }, (_, j) => (i * 2654435761) ^ (j * 40503)),
);

export function cases() {
  return [
    { name: 'shifts', ops: entries, run: shifts },
    { name: 'declared', ops: entries, run: declared, beside: 'shifts' },
  ];
}

/** Exported, so that no sum is for nothing. */
export let sink = 0;

function declared() {
  let sum = 0;
  for (const w of table) {
    sum += STE.V(w) + STE.Config(w) + STE.S1Fmt(w) + STE.S1ContextPtr(w) + STE.S1CDMax(w) + STE.S2VMID(w);
  }
  sink += sum;
}

function shifts() {
  let sum = 0;
  for (const w of table) {
    sum += (w[0] & 1) + ((w[0] >>> 1) & 7) + ((w[0] >>> 4) & 3) + ((w[1] & 0xfffff) * 2 ** 32 + ((w[0] & ~63) >>> 0));
    sum += (w[1] >>> 27) + (w[4] & 0xffff);
  }
  sink += sum;
}
