// SPDX-License-Identifier: Apache-2.0
// What firmware does not say of an SMMUv1 or SMMUv2: profiles as published, by what Linux's arm-smmu driver printed when it probed
// such hardware ("stream matching with ...", "Supported page sizes: ..."). What no source says is marked CHOICE.

import type { FirmwareNode, Silicon } from '@irqkit/core';
import { ADDRESS_SIZE_BITS, ARCHITECTURE, IDR0, IDR0_PTFS, IDR1, IDR2, IDR7 } from './regs.js';

/**
 * Arm MMU-500: every stage, AArch32 formats and AArch64 with 4 and 64 KiB, 48-bit addresses, no address translation operations,
 * 15 bits of StreamID (Xen and Linux on ZynqMP, LX2160A, Tegra194, i.MX8QM: page sizes 0x61311000, SMR mask 0x7fff).
 * Register groups differ, 32 to 128: 128 is what most of them have. CHOICE: CTTW is 1; ACTLR and ACR have the prefetcher on and
 * the lock set, as erratum 826419's workaround in Linux takes for granted.
 */
export const MMU500_SILICON = {
  IDR0: 0x7c00_5e80,
  IDR2: 0x0000_5555,
  IDR7: 0x0000_0021,
  NUMS2CB: 0,
  ACR: 0x0400_0000,
  ACTLR: 0x0000_0003,
} as const satisfies Silicon;

/**
 * Arm MMU-401: SMMUv1, stage 2 alone, 4 KiB of AArch32 and 64 KiB of AArch64, 40-bit addresses (Linux on Juno: page sizes
 * 0x60211000; 32 groups and 4 banks before the PCIe host, 2 and 1 elsewhere). CHOICE: the larger one, and one interrupt.
 */
export const MMU401_SILICON = {
  IDR0: 0x2d01_5e20,
  IDR2: 0x0000_4022,
  IDR7: 0x0000_0010,
  NUMCB: 4,
  NUMS2CB: 4,
} as const satisfies Silicon;

/** Arm MMU-400: MMU-401 without the 64 KiB granule (Linux knows it as plain SMMUv1). CHOICE: the counts are MMU-401's. */
export const MMU400_SILICON = { ...MMU401_SILICON, IDR2: 0x0000_0022 } as const satisfies Silicon;

/** Nobody's SMMUv1 with all that Linux's driver can use of one. CHOICE: counts, sizes and formats. */
export const SMMU_V1_SILICON = {
  IDR0: 0x7901_5e20,
  IDR2: 0x0000_0122,
  IDR7: 0x0000_0010,
  NUMCB: 8,
  NUMS2CB: 0,
} as const satisfies Silicon;

/** Nobody's SMMUv2: an MMU-500 with every granule and 16-bit VMIDs. CHOICE: all of it. */
export const SMMU_V2_SILICON = {
  IDR0: 0x7c00_5e80,
  IDR2: 0x0000_f555,
  IDR7: 0x0000_0020,
  NUMS2CB: 0,
} as const satisfies Silicon;

/**
 * Cavium ThunderX: every stage, AArch64 alone with every granule, 128 groups and banks (Linux's boot: page sizes 0x62215000), 16-bit
 * StreamIDs (its manual's registers: stream match conflicts always fault). CHOICE: VMIDs of 16 bits.
 */
export const CAVIUM_SILICON = {
  IDR0: 0x7e00_5f80,
  IDR2: 0x0000_f555,
  IDR7: 0x0000_0020,
  NUMS2CB: 0,
} as const satisfies Silicon;

/**
 * Qualcomm's own SMMUv2, of which msm8998's first one has: stage 1 alone, address translation operations, every granule, 36-bit
 * addresses, 16 groups (Linux's boot: page sizes 0x63315000, no coherent walks). CHOICE: NUMSIDB is 15.
 */
export const QCOM_SMMU_V2_SILICON = {
  IDR0: 0x4800_1e10,
  IDR2: 0x0000_7111,
  IDR7: 0x0000_0020,
  NUMS2CB: 0,
} as const satisfies Silicon;

/**
 * Qualcomm's MMU-500: stage 1 alone, AArch32 formats and AArch64 with 4 and 64 KiB, 36-bit addresses (Linux on SM7225 and SC8280XP:
 * page sizes 0x61311000). CHOICE: 128 groups; SM7225 has 71, SC8280XP says 162, more than the architecture has.
 */
export const QCOM_MMU500_SILICON = {
  ...MMU500_SILICON,
  IDR0: 0x4c00_5e80,
  IDR2: 0x0000_5111,
} as const satisfies Silicon;

/** An SMMU's parameters, decoded. */
export interface SmmuParameters {
  readonly idr0: number;
  readonly idr1: number;
  readonly idr2: number;
  readonly idr7: number;
  /** After reset. */
  readonly acr: number;
  readonly actlr: number;
  readonly version: number;
  readonly stage1: boolean;
  readonly stage2: boolean;
  readonly nested: boolean;
  /** False where a StreamID is the index of its S2CR. */
  readonly streamMatching: boolean;
  readonly extendedIds: boolean;
  readonly vmid16: boolean;
  /** CBA2R is there. */
  readonly va64: boolean;
  readonly aarch32: boolean;
  /** Of AArch64, in bytes. */
  readonly granules: readonly number[];
  /** Bits of a StreamID while CR0.EXIDENABLE is 0. */
  readonly sidBits: number;
  /** How many S2CRs there are, and SMRs where streams are matched. */
  readonly nrStreamGroups: number;
  /** Which bits of SMR.ID and SMR.MASK are implemented. */
  readonly smrId: number;
  readonly smrMask: number;
  readonly nrContextBanks: number;
  /** The first ones, which have no stage 1. */
  readonly nrStage2Banks: number;
  /** SMMUv1: context interrupts. */
  readonly nrContextInterrupts: number;
  /** Output and intermediate addresses, in bits. */
  readonly oas: number;
  readonly ias: number;
  /** A master's address has a sign bit above its 48: IDR2.UBS is 49 bits. */
  readonly signedUpstream: boolean;
  /** How many translations are remembered at most, log2. */
  readonly log2Iotlb: number;
}

/**
 * Reads `IDR0`, `IDR2` and `IDR7`, and `ACR` and `ACTLR` as they are after reset. Of IDR0, `NUMSMRG` and `NUMIRPT` can be given
 * apart. `IDR1` is composed where it is missing, of `NUMCB`, `NUMS2CB`, `PAGESIZE` and `NUMPAGENDXB`, and what is missing there of
 * the node: SMMUv2 has a bank for each context interrupt, `reg` has room for the register spaces. Beside them: `SMR_ID` and
 * `SMR_MASK`, the bits that an SMR implements, all of the StreamID where they are missing; `log2Iotlb`, how many pages the model
 * remembers at most (2 to 20, 17 where it is missing).
 */
export function parametersOf(silicon: Silicon, node: FirmwareNode): SmmuParameters {
  const values: Partial<Silicon> = silicon;
  const { IDR2: idr2 = 0, IDR7: idr7 = SMMU_V2_SILICON.IDR7, log2Iotlb = 17 } = values;
  const idr0 = idr0Of(values, node);
  const version = IDR7.MAJOR(idr7);
  const idr1 = values.IDR1 ?? idr1Of(values, version, node);
  const granules = [...(IDR2.PTFSv8_4kB(idr2) ? [0x1000] : []), ...(IDR2.PTFSv8_16kB(idr2) ? [0x4000] : [])];
  if (IDR2.PTFSv8_64kB(idr2)) granules.push(0x1_0000);
  const sidBits = IDR0.NUMSIDB(idr0);
  const extendedIds = IDR0.EXIDS(idr0) === 1;
  const sidMask = 2 ** (extendedIds ? 16 : Math.min(sidBits, 15)) - 1;
  const streamMatching = IDR0.SMS(idr0) === 1;
  const nrContextBanks = Math.min(IDR1.NUMCB(idr1), 128);
  return {
    idr0,
    idr1,
    idr2,
    idr7,
    acr: values.ACR ?? 0,
    actlr: values.ACTLR ?? 0,
    version,
    stage1: IDR0.S1TS(idr0) === 1,
    stage2: IDR0.S2TS(idr0) === 1,
    nested: IDR0.NTS(idr0) === 1,
    streamMatching,
    extendedIds,
    vmid16: IDR2.VMID16S(idr2) === 1,
    va64: granules.length > 0,
    aarch32: IDR0.PTFS(idr0) !== IDR0_PTFS.NONE,
    granules,
    sidBits,
    nrStreamGroups: Math.min(streamMatching ? IDR0.NUMSMRG(idr0) : 2 ** sidBits, 128),
    smrId: (values.SMR_ID ?? sidMask) & sidMask,
    smrMask: (values.SMR_MASK ?? sidMask) & sidMask,
    nrContextBanks,
    nrStage2Banks: IDR0.S1TS(idr0) === 1 ? Math.min(IDR1.NUMS2CB(idr1), nrContextBanks) : nrContextBanks,
    nrContextInterrupts: IDR0.NUMIRPT(idr0),
    oas: ADDRESS_SIZE_BITS[IDR2.OAS(idr2)],
    ias: ADDRESS_SIZE_BITS[IDR2.IAS(idr2)],
    signedUpstream: IDR2.UBS(idr2) >= 5,
    log2Iotlb: Math.min(Math.max(Math.floor(log2Iotlb), 2), 20),
  };
}

/** How many of a node's interrupts are global ones; the others are those of the context banks. */
export function nrGlobalInterrupts(node: FirmwareNode): number {
  return node.u32('#global-interrupts') ?? 1;
}

function idr0Of({ IDR0: given = 0, NUMSMRG, NUMIRPT }: Partial<Silicon>, node: FirmwareNode): number {
  const groups = IDR0.NUMSMRG.set(given, NUMSMRG ?? IDR0.NUMSMRG(given));
  if (NUMIRPT !== undefined) return IDR0.NUMIRPT.set(groups, NUMIRPT);
  // Where NUMIRPT counts interrupts, each has its wire.
  const wired = node.interrupts.length - nrGlobalInterrupts(node);
  return IDR0.NUMIRPT(given) > 0 ? IDR0.NUMIRPT.set(groups, Math.max(1, Math.min(wired, 255))) : groups;
}

/** CHOICE: pages of 4 KiB, unless there would be more than 128 of them for context banks. */
function idr1Of(values: Partial<Silicon>, version: number, node: FirmwareNode): number {
  const half = (node.regs[0]?.sizeBytes ?? 0x2_0000) / 2;
  const large = values.PAGESIZE ?? (half > 128 * 0x1000 ? 1 : 0);
  const log2Pages = Math.floor(Math.log2(Math.max(2, half / (large === 1 ? 0x1_0000 : 0x1000))));
  const ndxb = values.NUMPAGENDXB ?? Math.min(Math.max(log2Pages, 1), 8) - 1;
  const wired = version >= ARCHITECTURE.V2 ? node.interrupts.length - nrGlobalInterrupts(node) : 1;
  const banks = Math.max(1, Math.min(values.NUMCB ?? wired, 128, 2 ** (ndxb + 1)));
  return [
    [IDR1.NUMCB, banks],
    [IDR1.NUMS2CB, Math.min(values.NUMS2CB ?? 0, banks)],
    [IDR1.NUMPAGENDXB, ndxb],
    [IDR1.PAGESIZE, large],
  ].reduce((idr1, [field, content]) => (field as typeof IDR1.NUMCB).set(idr1, content as number), 0);
}
