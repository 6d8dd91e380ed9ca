// SPDX-License-Identifier: Apache-2.0
// What an SMMU's ID registers say, as far as the driver uses it. IHI 0070, sections 6.3.1 to 6.3.6; what is too much for the
// driver and what it cuts: the behaviour of Linux 6.1.

import { LinuxError } from '@irqkit/core';
import type { MmioRegion } from '@irqkit/core';
import type { GranuleBytes } from '@irqkit/pgtable/build';
import {
  ADDRESS_SIZE_BITS,
  IDR0,
  IDR0_STALL_MODEL,
  IDR0_ST_LEVEL,
  IDR0_TTENDIAN,
  IDR0_TTF,
  IDR1,
  IDR3,
  IDR5,
  IIDR,
} from '../regs.js';
import { CMDQ_BATCH } from './command-queue.js';
import { maxUnsyncedCommands } from './quirks.js';
import { STREAM_TABLE_SPLIT } from './stream-table.js';

/** Bits of the addresses that the processor's own page tables take: more are not used. @linux VA_BITS */
const VA_BITS = 48;
/** Input address bits of the AArch32 format. */
const AARCH32_IAS_BITS = 40;
/** Log2 of a queue's largest size in bytes. @linux Q_MAX_SZ_SHIFT */
const MAX_QUEUE_LOG2_BYTES = 20;
const COMMAND_LOG2_BYTES = 4;
const EVENT_LOG2_BYTES = 5;

export interface SmmuFeatures {
  readonly stage1: boolean;
  readonly stage2: boolean;
  readonly twoLevelStreamTable: boolean;
  readonly sidBits: number;
  readonly ssidBits: number;
  readonly asidBits: number;
  readonly vmidBits: number;
  readonly log2Commands: number;
  readonly log2Events: number;
  /** Input and output address bits of stage 2; an output of stage 1 is an input of stage 2. */
  readonly iasBits: number;
  readonly oasBits: number;
  /** Input address bits of stage 1. */
  readonly vaBits: number;
  readonly granules: readonly GranuleBytes[];
  /** TLBIs by range. */
  readonly rangeInvalidation: boolean;
  /** IDR3.BBML */
  readonly breakBeforeMakeLevel: number;
  /** Faulting transactions wait for software: never, where their context says so, always. */
  readonly stalls: 'never' | 'possible' | 'always';
  readonly maxStalls: number;
  readonly hyp: boolean;
  readonly msi: boolean;
  readonly ats: boolean;
  readonly pri: boolean;
  /** IDR0.COHACC; which firmware may override. */
  readonly coherentAccess: boolean;
  readonly maxUnsyncedCommands: number | undefined;
}

/**
 * Reads IDR0, IDR1, IDR3, IDR5 and IIDR.
 * @throws LinuxError ENXIO for what the driver cannot use: big-endian tables, no translation, AArch32 tables only, tables or
 * queues that are embedded, a command queue that is too short for a batch @linux arm_smmu_device_hw_probe
 */
export function readFeatures(path: string, registers: MmioRegion): SmmuFeatures {
  const idr0 = registers.read(IDR0.offset, 4);
  checkTranslation(path, idr0);
  const idr1 = registers.read(IDR1.offset, 4);
  if (IDR1.TABLES_PRESET(idr1) || IDR1.QUEUES_PRESET(idr1) || IDR1.REL(idr1))
    throw new LinuxError('ENXIO', `${path}: embedded tables or queues are not supported`);
  const log2Commands = Math.min(MAX_QUEUE_LOG2_BYTES - COMMAND_LOG2_BYTES, IDR1.CMDQS(idr1));
  if (2 ** log2Commands <= CMDQ_BATCH)
    throw new LinuxError('ENXIO', `${path}: a command queue of ${2 ** log2Commands} entries is not supported`);
  const idr3 = registers.read(IDR3.offset, 4);
  const idr5 = registers.read(IDR5.offset, 4);
  const iidr = registers.read(IIDR.offset, 4);
  const sidBits = IDR1.SIDSIZE(idr1);
  const oasBits = ADDRESS_SIZE_BITS[IDR5.OAS(idr5)];
  return {
    stage1: IDR0.S1P(idr0) === 1,
    stage2: IDR0.S2P(idr0) === 1,
    twoLevelStreamTable: IDR0.ST_LEVEL(idr0) === IDR0_ST_LEVEL.TWO_LEVEL && sidBits > STREAM_TABLE_SPLIT,
    sidBits,
    ssidBits: IDR1.SSIDSIZE(idr1),
    asidBits: IDR0.ASID16(idr0) ? 16 : 8,
    vmidBits: IDR0.VMID16(idr0) ? 16 : 8,
    log2Commands,
    log2Events: Math.min(MAX_QUEUE_LOG2_BYTES - EVENT_LOG2_BYTES, IDR1.EVENTQS(idr1)),
    iasBits: Math.max(IDR0.TTF(idr0) === IDR0_TTF.BOTH ? AARCH32_IAS_BITS : 0, oasBits),
    oasBits,
    // IDR5.VAX would give 52, of which the processor uses VA_BITS.
    vaBits: VA_BITS,
    granules: granulesOf(idr5),
    rangeInvalidation: IDR3.RIL(idr3) === 1,
    breakBeforeMakeLevel: IDR3.BBML(idr3),
    stalls: stallsOf(idr0),
    maxStalls: IDR5.STALL_MAX(idr5),
    hyp: IDR0.Hyp(idr0) === 1,
    msi: IDR0.MSI(idr0) === 1,
    ats: IDR0.ATS(idr0) === 1,
    pri: IDR0.PRI(idr0) === 1,
    coherentAccess: IDR0.COHACC(idr0) === 1,
    maxUnsyncedCommands: maxUnsyncedCommands(iidr),
  };
}

function checkTranslation(path: string, idr0: number): void {
  const endian = IDR0.TTENDIAN(idr0);
  if (endian !== IDR0_TTENDIAN.MIXED && endian !== IDR0_TTENDIAN.LITTLE)
    throw new LinuxError('ENXIO', `${path}: has no little-endian translation tables`);
  if (!IDR0.S1P(idr0) && !IDR0.S2P(idr0)) throw new LinuxError('ENXIO', `${path}: translates nothing`);
  const format = IDR0.TTF(idr0);
  if (format !== IDR0_TTF.AARCH64 && format !== IDR0_TTF.BOTH)
    throw new LinuxError('ENXIO', `${path}: has no AArch64 translation tables`);
}

function granulesOf(idr5: number): readonly GranuleBytes[] {
  const granules: GranuleBytes[] = [];
  if (IDR5.GRAN4K(idr5)) granules.push(0x1000);
  if (IDR5.GRAN16K(idr5)) granules.push(0x4000);
  if (IDR5.GRAN64K(idr5)) granules.push(0x1_0000);
  return granules;
}

function stallsOf(idr0: number): SmmuFeatures['stalls'] {
  switch (IDR0.STALL_MODEL(idr0)) {
    case IDR0_STALL_MODEL.FORCED_STALL:
      return 'always';
    case IDR0_STALL_MODEL.STALL_AND_TERMINATE:
      return 'possible';
    default:
      return 'never';
  }
}
