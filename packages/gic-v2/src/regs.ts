// SPDX-License-Identifier: Apache-2.0
// Registers of the GICv2 Distributor (GICD) and CPU interface (GICC). Arm IHI 0048B.b, tables 4-1 and 4-2 and the
// descriptions after them; GICC_CTLR and GICD_CTLR as in an implementation without the Security Extensions.

import { field } from '@irqkit/bits';

/** The INTID that says there is none. */
export const SPURIOUS = 1023;
/** Only a Group 1 interrupt waits, and GICC_CTLR.AckCtl keeps this register from acknowledging it. */
export const SPURIOUS_GROUP1 = 1022;
/** INTIDs from here on are no interrupts. */
export const NR_INTIDS = 1020;
/** CPU interfaces that one GICv2 can have. */
export const MAX_CPUS = 8;
/** SGIs are INTIDs 0-15, PPIs 16-31, SPIs from 32. */
export const FIRST_PPI = 16;
export const FIRST_SPI = 32;

export const GICD_CTLR = { offset: 0x000, EnableGrp0: field(0), EnableGrp1: field(1) } as const;
export const GICD_TYPER = {
  offset: 0x004,
  ITLinesNumber: field(4, 0),
  CPUNumber: field(7, 5),
  SecurityExtn: field(10),
  LSPI: field(15, 11),
} as const;
export const GICD_IIDR = {
  offset: 0x008,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Variant: field(19, 16),
  ProductID: field(31, 24),
} as const;

// Register banks: `sizeBytes` from `offset`, one bit, two bits or one byte for each INTID.
export const GICD_IGROUPR = { offset: 0x080, sizeBytes: 0x80 } as const;
export const GICD_ISENABLER = { offset: 0x100, sizeBytes: 0x80 } as const;
export const GICD_ICENABLER = { offset: 0x180, sizeBytes: 0x80 } as const;
export const GICD_ISPENDR = { offset: 0x200, sizeBytes: 0x80 } as const;
export const GICD_ICPENDR = { offset: 0x280, sizeBytes: 0x80 } as const;
export const GICD_ISACTIVER = { offset: 0x300, sizeBytes: 0x80 } as const;
export const GICD_ICACTIVER = { offset: 0x380, sizeBytes: 0x80 } as const;
export const GICD_IPRIORITYR = { offset: 0x400, sizeBytes: 0x400 } as const;
export const GICD_ITARGETSR = { offset: 0x800, sizeBytes: 0x400 } as const;
/** Two bits for each INTID, of which the upper is 1 for edge-triggered. */
export const GICD_ICFGR = { offset: 0xc00, sizeBytes: 0x100 } as const;
export const GICD_NSACR = { offset: 0xe00, sizeBytes: 0x100 } as const;
export const GICD_SGIR = {
  offset: 0xf00,
  SGIINTID: field(3, 0),
  NSATT: field(15),
  CPUTargetList: field(23, 16),
  TargetListFilter: field(25, 24),
} as const;
/** One byte for each SGI, one bit in it for each source CPU. */
export const GICD_CPENDSGIR = { offset: 0xf10, sizeBytes: 0x10 } as const;
export const GICD_SPENDSGIR = { offset: 0xf20, sizeBytes: 0x10 } as const;
/** ICPIDR4-7, ICPIDR0-3, ICCIDR0-3: one byte in each word. */
export const GICD_ID = { offset: 0xfd0, sizeBytes: 0x30 } as const;

/** GICD_SGIR.TargetListFilter */
export const SGI_FILTER = { LIST: 0b00, OTHERS: 0b01, SELF: 0b10 } as const;

export const GICC_CTLR = {
  offset: 0x000,
  EnableGrp0: field(0),
  EnableGrp1: field(1),
  AckCtl: field(2),
  FIQEn: field(3),
  CBPR: field(4),
  FIQBypDisGrp0: field(5),
  IRQBypDisGrp0: field(6),
  FIQBypDisGrp1: field(7),
  IRQBypDisGrp1: field(8),
  EOImode: field(9),
} as const;
export const GICC_PMR = { offset: 0x004, Priority: field(7, 0) } as const;
export const GICC_BPR = { offset: 0x008, Binary_point: field(2, 0) } as const;
export const GICC_IAR = { offset: 0x00c, Interrupt_ID: field(9, 0), CPUID: field(12, 10) } as const;
export const GICC_EOIR = { offset: 0x010, EOIINTID: field(9, 0), CPUID: field(12, 10) } as const;
export const GICC_RPR = { offset: 0x014, Priority: field(7, 0) } as const;
export const GICC_HPPIR = { offset: 0x018, PENDINTID: field(9, 0), CPUID: field(12, 10) } as const;
export const GICC_ABPR = { offset: 0x01c, Binary_point: field(2, 0) } as const;
export const GICC_AIAR = { offset: 0x020, Interrupt_ID: field(9, 0), CPUID: field(12, 10) } as const;
export const GICC_AEOIR = { offset: 0x024, Interrupt_ID: field(9, 0), CPUID: field(12, 10) } as const;
export const GICC_AHPPIR = { offset: 0x028, PENDINTID: field(9, 0), CPUID: field(12, 10) } as const;
/** Active priorities of Group 0 and of Group 1: one bit for each preemption level, the highest priority lowest. */
export const GICC_APR = { offset: 0x0d0, sizeBytes: 0x10 } as const;
export const GICC_NSAPR = { offset: 0x0e0, sizeBytes: 0x10 } as const;
export const GICC_IIDR = {
  offset: 0x0fc,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Architecture_version: field(19, 16),
  ProductID: field(31, 20),
} as const;
export const GICC_DIR = { offset: 0x1000, Interrupt_ID: field(9, 0), CPUID: field(12, 10) } as const;
