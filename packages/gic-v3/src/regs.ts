// SPDX-License-Identifier: Apache-2.0
// Registers of the GICv3 Distributor (GICD), Redistributor (GICR) and CPU interface (ICC), and the LPI tables. Arm IHI 0069,
// chapters 4, 5 and 12. Missing: the virtualization registers (GICV, GICH, ICH, ICV) and those of GICv4.

import { addr, field, word } from '@irqkit/bits';
import { sysreg } from '@irqkit/core';

/** INTIDs 1020-1023 are no interrupts. Section 2.2.1 */
export const FIRST_SPECIAL = 1020;
export const SPURIOUS = 1023;
/** SGIs are INTIDs 0-15, PPIs 16-31, SPIs 32-1019, extended PPIs and SPIs from here, LPIs from 8192. Section 2.2, table 2-1 */
export const FIRST_PPI = 16;
export const FIRST_SPI = 32;
export const FIRST_EPPI = 1056;
export const FIRST_ESPI = 4096;
export const END_OF_ESPIS = 5120;
export const FIRST_LPI = 8192;

/** As a system with one Security state shows it (GICD_CTLR.DS is 1). */
export const GICD_CTLR = {
  offset: 0x0000,
  EnableGrp0: field(0),
  EnableGrp1: field(1),
  ARE: field(4),
  DS: field(6),
  E1NWF: field(7),
  nASSGIreq: field(8),
  RWP: field(31),
} as const;
/** The same register as Non-secure software sees it in a system with two Security states. */
export const GICD_CTLR_NS = {
  offset: 0x0000,
  EnableGrp1: field(0),
  EnableGrp1A: field(1),
  ARE_NS: field(4),
  RWP: field(31),
} as const;
export const GICD_TYPER = {
  offset: 0x0004,
  ITLinesNumber: field(4, 0),
  CPUNumber: field(7, 5),
  ESPI: field(8),
  NMI: field(9),
  SecurityExtn: field(10),
  num_LPIs: field(15, 11),
  MBIS: field(16),
  LPIS: field(17),
  DVIS: field(18),
  IDbits: field(23, 19),
  A3V: field(24),
  No1N: field(25),
  RSS: field(26),
  ESPI_range: field(31, 27),
} as const;
export const GICD_IIDR = {
  offset: 0x0008,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Variant: field(19, 16),
  ProductID: field(31, 24),
} as const;
export const GICD_TYPER2 = { offset: 0x000c, VID: field(4, 0), VIL: field(7), nASSGIcap: field(8) } as const;
/** A write makes the SPI of that INTID pending, or takes that back. */
export const GICD_SETSPI_NSR = { offset: 0x0040, INTID: field(12, 0) } as const;
export const GICD_CLRSPI_NSR = { offset: 0x0048, INTID: field(12, 0) } as const;

// Register banks: `sizeBytes` from `offset`, one bit, two bits or one byte for each INTID. Those of a Redistributor's SGI_base
// frame have the same offsets and go on with the extended PPIs.
export const GICD_IGROUPR = { offset: 0x0080, sizeBytes: 0x80 } as const;
export const GICD_ISENABLER = { offset: 0x0100, sizeBytes: 0x80 } as const;
export const GICD_ICENABLER = { offset: 0x0180, sizeBytes: 0x80 } as const;
export const GICD_ISPENDR = { offset: 0x0200, sizeBytes: 0x80 } as const;
export const GICD_ICPENDR = { offset: 0x0280, sizeBytes: 0x80 } as const;
export const GICD_ISACTIVER = { offset: 0x0300, sizeBytes: 0x80 } as const;
export const GICD_ICACTIVER = { offset: 0x0380, sizeBytes: 0x80 } as const;
export const GICD_IPRIORITYR = { offset: 0x0400, sizeBytes: 0x400 } as const;
/** Two bits for each INTID, of which the upper is 1 for edge-triggered. */
export const GICD_ICFGR = { offset: 0x0c00, sizeBytes: 0x100 } as const;
/** Extended SPIs: the first register is that of INTID 4096. */
export const GICD_IGROUPRnE = { offset: 0x1000, sizeBytes: 0x80 } as const;
export const GICD_ISENABLERnE = { offset: 0x1200, sizeBytes: 0x80 } as const;
export const GICD_ICENABLERnE = { offset: 0x1400, sizeBytes: 0x80 } as const;
export const GICD_ISPENDRnE = { offset: 0x1600, sizeBytes: 0x80 } as const;
export const GICD_ICPENDRnE = { offset: 0x1800, sizeBytes: 0x80 } as const;
export const GICD_ISACTIVERnE = { offset: 0x1a00, sizeBytes: 0x80 } as const;
export const GICD_ICACTIVERnE = { offset: 0x1c00, sizeBytes: 0x80 } as const;
export const GICD_IPRIORITYRnE = { offset: 0x2000, sizeBytes: 0x400 } as const;
export const GICD_ICFGRnE = { offset: 0x3000, sizeBytes: 0x100 } as const;
/** 8 bytes for each INTID, from INTID 0 on; the first that exists is that of INTID 32. */
export const GICD_IROUTER = {
  offset: 0x6000,
  sizeBytes: 0x1fe0,
  Aff0: word(7, 0),
  Aff1: word(15, 8),
  Aff2: word(23, 16),
  Interrupt_Routing_Mode: word(31),
  Aff3: word(39, 32),
} as const;
export const GICD_IROUTERnE = { offset: 0x8000, sizeBytes: 0x2000 } as const;
/** PIDR4-7, PIDR0-3, CIDR0-3: one byte in each word. The same in both Redistributor frames. */
export const GICD_ID = { offset: 0xffd0, sizeBytes: 0x30 } as const;
export const GICD_PIDR2 = { offset: 0xffe8, ArchRev: field(7, 4) } as const;

/** GICD_PIDR2.ArchRev and GICR_PIDR2.ArchRev */
export const ARCH_REV = { GICv3: 3, GICv4: 4 } as const;

/** Bytes of each frame of a Redistributor: RD_base, then SGI_base; GICv4 has two more. */
export const GICR_FRAME_BYTES = 0x1_0000;

export const GICR_CTLR = {
  offset: 0x0000,
  EnableLPIs: field(0),
  CES: field(1),
  IR: field(2),
  RWP: field(3),
  DPG0: field(24),
  DPG1NS: field(25),
  DPG1S: field(26),
  UWP: field(31),
} as const;
export const GICR_IIDR = { offset: 0x0004 } as const;
/** The low word; the high one is Affinity_Value: Aff3 at [31:24], Aff2, Aff1, Aff0. */
export const GICR_TYPER = {
  offset: 0x0008,
  PLPIS: field(0),
  VLPIS: field(1),
  Dirty: field(2),
  DirectLPI: field(3),
  Last: field(4),
  DPGS: field(5),
  MPAM: field(6),
  RVPEID: field(7),
  Processor_Number: field(23, 8),
  CommonLPIAff: field(25, 24),
  VSGI: field(26),
  PPInum: field(31, 27),
} as const;
export const GICR_TYPER_Affinity_Value = { offset: 0x000c } as const;
export const GICR_WAKER = { offset: 0x0014, ProcessorSleep: field(1), ChildrenAsleep: field(2) } as const;
export const GICR_SETLPIR = { offset: 0x0040 } as const;
export const GICR_CLRLPIR = { offset: 0x0048 } as const;
export const GICR_PROPBASER = {
  offset: 0x0070,
  IDbits: word(4, 0),
  InnerCache: word(9, 7),
  Shareability: word(11, 10),
  Physical_Address: addr(51, 12),
  OuterCache: word(58, 56),
} as const;
export const GICR_PENDBASER = {
  offset: 0x0078,
  InnerCache: word(9, 7),
  Shareability: word(11, 10),
  Physical_Address: addr(51, 16),
  OuterCache: word(58, 56),
  PTZ: word(62),
} as const;
export const GICR_INVLPIR = { offset: 0x00a0 } as const;
export const GICR_INVALLR = { offset: 0x00b0 } as const;
export const GICR_SYNCR = { offset: 0x00c0, Busy: field(0) } as const;
export const GICR_PIDR2 = { offset: 0xffe8, ArchRev: field(7, 4) } as const;

/** One byte for each LPI, from INTID 8192 on. Section 5.1.1; the priority is in place, its two low bits are 0. */
export const LPI_CONFIGURATION = { Enable: field(0), Priority: field(7, 2) } as const;

export const ICC_PMR_EL1 = { sysreg: sysreg(3, 0, 4, 6, 0), Priority: field(7, 0) } as const;
export const ICC_IAR0_EL1 = { sysreg: sysreg(3, 0, 12, 8, 0), INTID: field(23, 0) } as const;
export const ICC_EOIR0_EL1 = { sysreg: sysreg(3, 0, 12, 8, 1), INTID: field(23, 0) } as const;
export const ICC_HPPIR0_EL1 = { sysreg: sysreg(3, 0, 12, 8, 2), INTID: field(23, 0) } as const;
export const ICC_BPR0_EL1 = { sysreg: sysreg(3, 0, 12, 8, 3), BinaryPoint: field(2, 0) } as const;
/** Active priorities: one bit for each preemption level, the highest lowest. Registers n = 1 to 3 follow. */
export const ICC_AP0R_EL1 = { sysreg: sysreg(3, 0, 12, 8, 4) } as const;
export const ICC_AP1R_EL1 = { sysreg: sysreg(3, 0, 12, 9, 0) } as const;
export const ICC_DIR_EL1 = { sysreg: sysreg(3, 0, 12, 11, 1), INTID: field(23, 0) } as const;
export const ICC_RPR_EL1 = { sysreg: sysreg(3, 0, 12, 11, 3), Priority: field(7, 0) } as const;
export const ICC_SGI1R_EL1 = {
  sysreg: sysreg(3, 0, 12, 11, 5),
  TargetList: word(15, 0),
  Aff1: word(23, 16),
  INTID: word(27, 24),
  Aff2: word(39, 32),
  IRM: word(40),
  RS: word(47, 44),
  Aff3: word(55, 48),
} as const;
export const ICC_ASGI1R_EL1 = { sysreg: sysreg(3, 0, 12, 11, 6) } as const;
export const ICC_SGI0R_EL1 = { sysreg: sysreg(3, 0, 12, 11, 7) } as const;
export const ICC_IAR1_EL1 = { sysreg: sysreg(3, 0, 12, 12, 0), INTID: field(23, 0) } as const;
export const ICC_EOIR1_EL1 = { sysreg: sysreg(3, 0, 12, 12, 1), INTID: field(23, 0) } as const;
export const ICC_HPPIR1_EL1 = { sysreg: sysreg(3, 0, 12, 12, 2), INTID: field(23, 0) } as const;
export const ICC_BPR1_EL1 = { sysreg: sysreg(3, 0, 12, 12, 3), BinaryPoint: field(2, 0) } as const;
export const ICC_CTLR_EL1 = {
  sysreg: sysreg(3, 0, 12, 12, 4),
  CBPR: field(0),
  EOImode: field(1),
  PMHE: field(6),
  PRIbits: field(10, 8),
  IDbits: field(13, 11),
  SEIS: field(14),
  A3V: field(15),
  RSS: field(18),
  ExtRange: field(19),
} as const;
export const ICC_SRE_EL1 = { sysreg: sysreg(3, 0, 12, 12, 5), SRE: field(0), DFB: field(1), DIB: field(2) } as const;
export const ICC_IGRPEN0_EL1 = { sysreg: sysreg(3, 0, 12, 12, 6), Enable: field(0) } as const;
export const ICC_IGRPEN1_EL1 = { sysreg: sysreg(3, 0, 12, 12, 7), Enable: field(0) } as const;
