// SPDX-License-Identifier: Apache-2.0
// The context descriptor of a stage 1 domain. IHI 0070, section 5.4 "Context Descriptor"; which fields are set: the behaviour
// of Linux 6.1.
// UNIMP: domains for substreams (PASIDs)

import type { Stage1Registers } from '@irqkit/pgtable/build';
import { CD } from '../layouts.js';

/** MAIR1: no descriptor has an attribute index above 3. Linux leaves all ones. */
const UNUSED_ATTRIBUTES = 0xffff_ffff;

/** `stalls`: the SMMU has faults wait whatever its contexts say, so that they must say so. */
export function contextDescriptor(asid: number, registers: Stage1Registers, stalls: boolean): Uint32Array {
  const words = new Uint32Array(CD.bytes / 4);
  CD.T0SZ.put(words, registers.T0SZ);
  CD.TG0.put(words, registers.TG0);
  CD.IR0.put(words, registers.IRGN0);
  CD.OR0.put(words, registers.ORGN0);
  CD.SH0.put(words, registers.SH0);
  CD.EPD1.put(words, 1);
  CD.V.put(words, 1);
  CD.IPS.put(words, registers.IPS);
  CD.AA64.put(words, 1);
  CD.S.put(words, stalls ? 1 : 0);
  CD.R.put(words, 1);
  CD.A.put(words, 1);
  CD.ASET.put(words, 1);
  CD.ASID.put(words, asid);
  CD.TTB0.put(words, registers.ttbr);
  CD.MAIR0.put(words, registers.mair[0]);
  CD.MAIR1.put(words, UNUSED_ATTRIBUTES);
  return words;
}
