// SPDX-License-Identifier: Apache-2.0
// What a stream table entry says of each kind of domain. IHI 0070, section 5.2 "Stream Table Entry"; which fields are set, and
// which are left as they were: the behaviour of Linux 6.1.

import type { Stage2Registers } from '@irqkit/pgtable/build';
import { CACHEABILITY, STE, STE_CONFIG, STE_S1DSS, STE_S1FMT, STE_SHCFG, STE_STRW } from '../layouts.js';
import { SHAREABILITY } from '../regs.js';

/** The first four doublewords of an entry; the rest stays zero. */
const ENTRY_WORDS = 8;

export interface StreamEntry {
  readonly words: Uint32Array;
  /** Words that are written while the entry still aborts, before doubleword 0: from and up to. */
  readonly before: readonly [number, number];
  /** True where it leads to tables, which may be fetched ahead. */
  readonly translates: boolean;
}

export const ABORT_ENTRY = untranslated(STE_CONFIG.ABORT);
export const BYPASS_ENTRY = untranslated(STE_CONFIG.BYPASS);

// In 6.1; later kernels leave SHCFG of an aborting entry 0. It means nothing there.
function untranslated(config: number): StreamEntry {
  const words = new Uint32Array(ENTRY_WORDS);
  STE.V.put(words, 1);
  STE.Config.put(words, config);
  STE.SHCFG.put(words, STE_SHCFG.INCOMING);
  return { words: words.subarray(0, 6), before: [0, 0], translates: false };
}

/** `noStalls`: contexts might stall their faults, and are not to. */
export function stage1Entry(contextAddress: number, noStalls: boolean): StreamEntry {
  const words = new Uint32Array(ENTRY_WORDS);
  STE.V.put(words, 1);
  STE.Config.put(words, STE_CONFIG.S1);
  STE.S1Fmt.put(words, STE_S1FMT.LINEAR);
  STE.S1ContextPtr.put(words, contextAddress);
  STE.S1DSS.put(words, STE_S1DSS.SSID0);
  STE.S1CIR.put(words, CACHEABILITY.WRITE_BACK_ALLOCATE);
  STE.S1COR.put(words, CACHEABILITY.WRITE_BACK_ALLOCATE);
  STE.S1CSH.put(words, SHAREABILITY.INNER);
  STE.STRW.put(words, STE_STRW.NSEL1);
  STE.S1STALLD.put(words, noStalls ? 1 : 0);
  return { words, before: [2, 4], translates: true };
}

export function stage2Entry(vmid: number, registers: Stage2Registers): StreamEntry {
  const words = new Uint32Array(ENTRY_WORDS);
  STE.V.put(words, 1);
  STE.Config.put(words, STE_CONFIG.S2);
  STE.S2VMID.put(words, vmid);
  STE.S2T0SZ.put(words, registers.T0SZ);
  STE.S2SL0.put(words, registers.SL0);
  STE.S2IR0.put(words, registers.IRGN0);
  STE.S2OR0.put(words, registers.ORGN0);
  STE.S2SH0.put(words, registers.SH0);
  STE.S2TG.put(words, registers.TG0);
  STE.S2PS.put(words, registers.PS);
  STE.S2AA64.put(words, 1);
  STE.S2PTW.put(words, 1);
  STE.S2R.put(words, 1);
  STE.S2TTB.put(words, registers.vttbr);
  return { words, before: [4, 8], translates: true };
}
