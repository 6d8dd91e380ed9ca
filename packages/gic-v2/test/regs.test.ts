// SPDX-License-Identifier: Apache-2.0
// Every offset and bit range against literals typed from Arm IHI 0048B, tables 4-1 and 4-2 and the figures of section 4.3
// and 4.4.
import type { Field } from '@irqkit/bits';
import { regs } from '@irqkit/gic-v2';

const OFFSETS: Readonly<Record<string, number>> = {
  GICD_CTLR: 0x000,
  GICD_TYPER: 0x004,
  GICD_IIDR: 0x008,
  GICD_IGROUPR: 0x080,
  GICD_ISENABLER: 0x100,
  GICD_ICENABLER: 0x180,
  GICD_ISPENDR: 0x200,
  GICD_ICPENDR: 0x280,
  GICD_ISACTIVER: 0x300,
  GICD_ICACTIVER: 0x380,
  GICD_IPRIORITYR: 0x400,
  GICD_ITARGETSR: 0x800,
  GICD_ICFGR: 0xc00,
  GICD_NSACR: 0xe00,
  GICD_SGIR: 0xf00,
  GICD_CPENDSGIR: 0xf10,
  GICD_SPENDSGIR: 0xf20,
  GICD_ID: 0xfd0,
  GICC_CTLR: 0x0000,
  GICC_PMR: 0x0004,
  GICC_BPR: 0x0008,
  GICC_IAR: 0x000c,
  GICC_EOIR: 0x0010,
  GICC_RPR: 0x0014,
  GICC_HPPIR: 0x0018,
  GICC_ABPR: 0x001c,
  GICC_AIAR: 0x0020,
  GICC_AEOIR: 0x0024,
  GICC_AHPPIR: 0x0028,
  GICC_APR: 0x00d0,
  GICC_NSAPR: 0x00e0,
  GICC_IIDR: 0x00fc,
  GICC_DIR: 0x1000,
};

const INTID_AND_CPUID = (intid: string): Readonly<Record<string, readonly [number, number]>> => ({
  [intid]: [9, 0],
  CPUID: [12, 10],
});

const FIELDS: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  GICD_CTLR: { EnableGrp0: [0, 0], EnableGrp1: [1, 1] },
  GICD_TYPER: { ITLinesNumber: [4, 0], CPUNumber: [7, 5], SecurityExtn: [10, 10], LSPI: [15, 11] },
  GICD_IIDR: { Implementer: [11, 0], Revision: [15, 12], Variant: [19, 16], ProductID: [31, 24] },
  GICD_SGIR: { SGIINTID: [3, 0], NSATT: [15, 15], CPUTargetList: [23, 16], TargetListFilter: [25, 24] },
  GICC_CTLR: {
    EnableGrp0: [0, 0],
    EnableGrp1: [1, 1],
    AckCtl: [2, 2],
    FIQEn: [3, 3],
    CBPR: [4, 4],
    FIQBypDisGrp0: [5, 5],
    IRQBypDisGrp0: [6, 6],
    FIQBypDisGrp1: [7, 7],
    IRQBypDisGrp1: [8, 8],
    EOImode: [9, 9],
  },
  GICC_PMR: { Priority: [7, 0] },
  GICC_BPR: { Binary_point: [2, 0] },
  GICC_IAR: INTID_AND_CPUID('Interrupt_ID'),
  GICC_EOIR: INTID_AND_CPUID('EOIINTID'),
  GICC_RPR: { Priority: [7, 0] },
  GICC_HPPIR: INTID_AND_CPUID('PENDINTID'),
  GICC_ABPR: { Binary_point: [2, 0] },
  GICC_AIAR: INTID_AND_CPUID('Interrupt_ID'),
  GICC_AEOIR: INTID_AND_CPUID('Interrupt_ID'),
  GICC_AHPPIR: INTID_AND_CPUID('PENDINTID'),
  GICC_IIDR: { Implementer: [11, 0], Revision: [15, 12], Architecture_version: [19, 16], ProductID: [31, 20] },
  GICC_DIR: INTID_AND_CPUID('Interrupt_ID'),
};

const SIZES: Readonly<Record<string, number>> = {
  GICD_IGROUPR: 0x80,
  GICD_ISENABLER: 0x80,
  GICD_ICENABLER: 0x80,
  GICD_ISPENDR: 0x80,
  GICD_ICPENDR: 0x80,
  GICD_ISACTIVER: 0x80,
  GICD_ICACTIVER: 0x80,
  GICD_IPRIORITYR: 0x400,
  GICD_ITARGETSR: 0x400,
  GICD_ICFGR: 0x100,
  GICD_NSACR: 0x100,
  GICD_CPENDSGIR: 0x10,
  GICD_SPENDSGIR: 0x10,
  GICD_ID: 0x30,
  GICC_APR: 0x10,
  GICC_NSAPR: 0x10,
};

type Declared = Readonly<Record<string, number | Field>>;

const declared = Object.entries(regs).filter(([name]) => /^GIC[CD]_/.test(name)) as [string, Declared][];

it('pins every register to its offset', () => {
  expect(Object.fromEntries(declared.map(([name, { offset }]) => [name, offset]))).toEqual(OFFSETS);
});

it('pins every field to its bits', () => {
  const bits = declared.flatMap(([name, register]) => {
    const fields = Object.entries(register).flatMap(([field, value]) =>
      typeof value === 'function' ? [[field, [value.hi, value.lo]]] : [],
    );
    return fields.length > 0 ? [[name, Object.fromEntries(fields) as unknown]] : [];
  });
  expect(Object.fromEntries(bits)).toEqual(FIELDS);
});

it('pins the sizes of the register banks', () => {
  const sizes = declared.flatMap(([name, { sizeBytes }]) => (sizeBytes === undefined ? [] : [[name, sizeBytes]]));
  expect(Object.fromEntries(sizes)).toEqual(SIZES);
});

it('pins the ranges of INTIDs and the filters of GICD_SGIR', () => {
  const { FIRST_PPI, FIRST_SPI, NR_INTIDS, SPURIOUS, SPURIOUS_GROUP1, MAX_CPUS, SGI_FILTER } = regs;
  expect([FIRST_PPI, FIRST_SPI, NR_INTIDS, SPURIOUS_GROUP1, SPURIOUS, MAX_CPUS]).toEqual([16, 32, 1020, 1022, 1023, 8]);
  expect(SGI_FILTER).toEqual({ LIST: 0, OTHERS: 1, SELF: 2 });
});
