// SPDX-License-Identifier: Apache-2.0
// What firmware does not say of an SMMUv3: profiles, and the model's reading of them.

import type { Silicon } from '@irqkit/core';
import { ADDRESS_SIZE_BITS, IDR0, IDR0_ST_LEVEL, IDR0_TTF, IDR1, IDR3, IDR5, IDR5_VAX } from './regs.js';

/**
 * The SMMU of QEMU's `virt`, stage 1 only, as its registers read in a Linux 6.1 boot under QEMU 7.2 (shared data, replay/A;
 * what Linux does not read: QEMU's reset values): 16 bits of StreamID, no substreams, 44-bit addresses, every granule, no MSIs.
 */
export const VIRT_SILICON = {
  IDR0: 0x0d40_101a,
  IDR1: 0x0273_0010,
  IDR2: 0,
  IDR3: 0x1404,
  IDR4: 0,
  IDR5: 0x74,
  IIDR: 0,
  AIDR: 0x1,
  GBPA: 0x1000,
} as const satisfies Silicon;

/** The same with stage 2 alone, under QEMU 10.0 (shared data, replay/A-s2). */
export const VIRT_STAGE2_SILICON = { ...VIRT_SILICON, IDR0: 0x0d44_1019, IDR3: 0x1414 } as const satisfies Silicon;

/** The same with both stages, under QEMU 10.0 (shared data, walks/nested.json). */
export const VIRT_NESTED_SILICON = { ...VIRT_SILICON, IDR0: 0x0d44_101b, IDR3: 0x1414 } as const satisfies Silicon;

/** An SMMU's parameters, decoded. */
export interface SmmuParameters {
  readonly idr0: number;
  readonly idr1: number;
  readonly idr2: number;
  readonly idr3: number;
  readonly idr4: number;
  readonly idr5: number;
  readonly iidr: number;
  readonly aidr: number;
  /** After reset. */
  readonly gbpa: number;
  readonly s1p: boolean;
  readonly s2p: boolean;
  readonly hyp: boolean;
  readonly msi: boolean;
  readonly pri: boolean;
  readonly ats: boolean;
  readonly asid16: boolean;
  readonly vmid16: boolean;
  readonly cd2l: boolean;
  readonly twoLevelStreams: boolean;
  /** Bits of a StreamID and of a SubstreamID. */
  readonly sidSize: number;
  readonly ssidSize: number;
  /** Output and intermediate addresses, in bits: OAS and IAS of section 3.4. */
  readonly oas: number;
  readonly ias: number;
  /** Virtual addresses of 52 bits where the granule is 64 KiB. */
  readonly vax52: boolean;
  /** Granules there are, in bits: 12, 14, 16. */
  readonly granules: readonly number[];
  /** Small translation tables: TxSZ up to 48. */
  readonly stt: boolean;
  readonly had: boolean;
  readonly xnx: boolean;
  readonly ril: boolean;
  /** STE.PRIVCFG and STE.INSTCFG mean something. */
  readonly attributeOverrides: boolean;
  /** How many translations are remembered at most, log2. */
  readonly log2Iotlb: number;
}

/**
 * Reads `IDR0` to `IDR5`, `IIDR`, `AIDR` and `GBPA` as they read after reset. Beside them, no register: `log2Iotlb`, how
 * many pages the model remembers at most (2 to 20, 17 where it is missing). What is missing else is VIRT_SILICON's.
 */
export function parametersOf(silicon: Silicon): SmmuParameters {
  const values: Readonly<Record<keyof typeof VIRT_SILICON, number>> = { ...VIRT_SILICON, ...silicon };
  const { IDR0: idr0, IDR1: idr1, IDR3: idr3, IDR5: idr5 } = values;
  const oas = ADDRESS_SIZE_BITS[IDR5.OAS(idr5)];
  const has = (granule: number, bits: number): number[] => (granule === 1 ? [bits] : []);
  const log2Iotlb = (silicon as Partial<Silicon>).log2Iotlb ?? 17;
  return {
    idr0,
    idr1,
    idr2: values.IDR2,
    idr3,
    idr4: values.IDR4,
    idr5,
    iidr: values.IIDR,
    aidr: values.AIDR,
    gbpa: values.GBPA,
    s1p: IDR0.S1P(idr0) === 1,
    s2p: IDR0.S2P(idr0) === 1,
    hyp: IDR0.Hyp(idr0) === 1,
    msi: IDR0.MSI(idr0) === 1,
    pri: IDR0.PRI(idr0) === 1,
    ats: IDR0.ATS(idr0) === 1,
    asid16: IDR0.ASID16(idr0) === 1,
    vmid16: IDR0.VMID16(idr0) === 1,
    cd2l: IDR0.CD2L(idr0) === 1,
    twoLevelStreams: IDR0.ST_LEVEL(idr0) !== IDR0_ST_LEVEL.LINEAR,
    sidSize: Math.min(IDR1.SIDSIZE(idr1), 32),
    ssidSize: Math.min(IDR1.SSIDSIZE(idr1), 20),
    oas,
    ias: (IDR0.TTF(idr0) & IDR0_TTF.AARCH32) !== 0 ? Math.max(40, oas) : oas,
    vax52: IDR5.VAX(idr5) >= IDR5_VAX.BITS52,
    granules: [...has(IDR5.GRAN4K(idr5), 12), ...has(IDR5.GRAN16K(idr5), 14), ...has(IDR5.GRAN64K(idr5), 16)],
    stt: IDR3.STT(idr3) === 1,
    had: IDR3.HAD(idr3) === 1,
    xnx: IDR3.XNX(idr3) === 1,
    ril: IDR3.RIL(idr3) === 1,
    attributeOverrides: IDR1.ATTR_PERMS_OVR(idr1) === 1,
    log2Iotlb: Math.min(Math.max(Math.floor(log2Iotlb), 2), 20),
  };
}
