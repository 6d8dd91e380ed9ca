// SPDX-License-Identifier: Apache-2.0
// What an SMMU's ID registers say, as far as the driver uses it. IHI 0062, "Identification registers"; what the driver refuses
// and what it cuts: the behaviour of Linux 6.1.
// UNIMP: tables of the AArch32 short format

import { LinuxError } from '@irqkit/core';
import type { MmioRegion } from '@irqkit/core';
import { CPU_PAGE_BYTES } from '@irqkit/pgtable/build';
import type { GranuleBytes } from '@irqkit/pgtable/build';
import { ADDRESS_SIZE_BITS, IDR0, IDR0_PTFS, IDR1, IDR2, IDR7, registerLayout } from '../regs.js';
import type { RegisterLayout } from '../regs.js';
import type { SmmuVariant } from './variants.js';

/** Input and output address bits of the AArch32 long format; its stage 1 takes 32 bits. */
const AARCH32_BITS = 40;
const AARCH32_STAGE1_BITS = 32;
/** Bits of an extended StreamID. */
const EXTENDED_BITS = 16;

export interface SmmuFeatures {
  readonly layout: RegisterLayout;
  readonly architecture: 1 | 2;
  readonly stage1: boolean;
  readonly stage2: boolean;
  readonly streamMatching: boolean;
  readonly extendedStreamIds: boolean;
  /** Bits of a StreamID, before the stream match registers are asked which they have. */
  readonly streamIdBits: number;
  /** Stream match register groups, or StreamIDs where there is no matching: S2CRs. */
  readonly nrStreamEntries: number;
  readonly nrContextBanks: number;
  /** The first ones, which translate at stage 2 only. */
  readonly nrStage2Banks: number;
  /** AArch64 tables; else those of the AArch32 long format. */
  readonly aarch64: boolean;
  /** That its tables can have. */
  readonly granules: readonly GranuleBytes[];
  /** Input and output address bits of each stage. */
  readonly stage1Bits: readonly [ias: number, oas: number];
  readonly stage2Bits: readonly [ias: number, oas: number];
  /** Of physical addresses. */
  readonly oasBits: number;
  readonly vmid16: boolean;
  /** IDR0.CTTW; which firmware may override. */
  readonly coherentWalk: boolean;
  /** IDR7.MAJOR: an MMU-500's revision. */
  readonly majorRevision: number;
}

/**
 * Reads IDR0, IDR1, IDR2 and IDR7.
 * @throws LinuxError ENODEV for an SMMU that translates nothing, matches streams without registers for it, or has more context
 * banks for stage 2 than it has in all; ENXIO for one without tables that the driver can make @linux arm_smmu_device_cfg_probe
 */
export function readFeatures(path: string, registers: MmioRegion, variant: SmmuVariant): SmmuFeatures {
  const { architecture } = variant;
  const idr0 = registers.read(IDR0.offset, 4);
  const [stage1, stage2] = [IDR0.S1TS(idr0) === 1, IDR0.S2TS(idr0) === 1];
  if (!stage1 && !stage2) throw new LinuxError('ENODEV', `${path}: translates nothing`);
  const streamMatching = IDR0.SMS(idr0) === 1;
  const extendedStreamIds = architecture === 2 && streamMatching && IDR0.EXIDS(idr0) === 1;
  const streamIdBits = extendedStreamIds ? EXTENDED_BITS : IDR0.NUMSIDB(idr0);
  if (streamMatching && IDR0.NUMSMRG(idr0) === 0)
    throw new LinuxError('ENODEV', `${path}: matches streams, with no stream match registers`);
  const idr1 = registers.read(IDR1.offset, 4);
  const [nrContextBanks, nrStage2Banks] = [IDR1.NUMCB(idr1), IDR1.NUMS2CB(idr1)];
  if (nrStage2Banks > nrContextBanks)
    throw new LinuxError('ENODEV', `${path}: ${nrStage2Banks} of ${nrContextBanks} context banks for stage 2 only`);
  const idr2 = registers.read(IDR2.offset, 4);
  const idr7 = registers.read(IDR7.offset, 4);
  const iasBits = ADDRESS_SIZE_BITS[IDR2.IAS(idr2)];
  const oasBits = ADDRESS_SIZE_BITS[IDR2.OAS(idr2)];
  const vaBits = architecture === 1 ? iasBits : ADDRESS_SIZE_BITS[IDR2.UBS(idr2)];
  const tables = tablesOf(path, variant, idr0, idr2);
  const cut = (bits: number, most: number): number => (tables.aarch64 ? bits : Math.min(bits, most));
  return {
    ...tables,
    layout: registerLayout(idr1),
    architecture,
    stage1,
    stage2,
    streamMatching,
    extendedStreamIds,
    streamIdBits,
    nrStreamEntries: streamMatching ? IDR0.NUMSMRG(idr0) : 2 ** streamIdBits,
    nrContextBanks,
    nrStage2Banks,
    stage1Bits: [cut(vaBits, AARCH32_STAGE1_BITS), cut(iasBits, AARCH32_BITS)],
    stage2Bits: [cut(iasBits, AARCH32_BITS), cut(oasBits, AARCH32_BITS)],
    oasBits,
    vmid16: IDR2.VMID16S(idr2) === 1,
    coherentWalk: IDR0.CTTW(idr0) === 1,
    majorRevision: IDR7.MAJOR(idr7),
  };
}

/**
 * AArch64 where there is a choice.
 * CHOICE: AArch32 where pages of the AArch64 tables are all larger than the processor's. Linux 6.1 makes AArch64 tables with the
 * processor's pages then, which such an SMMU does not have.
 */
function tablesOf(
  path: string,
  { architecture, granule64k, hidesAarch64 }: SmmuVariant,
  idr0: number,
  idr2: number,
): Pick<SmmuFeatures, 'aarch64' | 'granules'> {
  const aarch32 = architecture === 1 || [IDR0_PTFS.LONG_AND_SHORT, IDR0_PTFS.LONG].some((v) => v === IDR0.PTFS(idr0));
  const granules: GranuleBytes[] = [];
  if (architecture === 2 && !hidesAarch64) {
    if (IDR2.PTFSv8_4kB(idr2)) granules.push(0x1000);
    if (IDR2.PTFSv8_16kB(idr2)) granules.push(0x4000);
    if (IDR2.PTFSv8_64kB(idr2)) granules.push(0x1_0000);
  } else if (granule64k) granules.push(0x1_0000);
  const fits = granules.some((bytes) => bytes <= CPU_PAGE_BYTES);
  if (granules.length > 0 && (fits || !aarch32)) return { aarch64: true, granules };
  if (!aarch32)
    throw new LinuxError('ENXIO', `${path}: has neither AArch64 tables nor those of the AArch32 long format`);
  return { aarch64: false, granules: [0x1000] };
}
