// SPDX-License-Identifier: Apache-2.0
// Offsets, encodings and bit ranges as the tables of Arm IHI 0069, chapter 12, print them.

import type { Addr, Field, Word } from '@irqkit/bits';
import { regs } from '@irqkit/gic-v3';

type Ranged = Field | Word | Addr;

/** Every field of a register as `name hi:lo`. */
function ranges(register: object): string[] {
  return Object.entries(register)
    .filter((entry): entry is [string, Ranged] => typeof entry[1] === 'function')
    .map(([name, { hi, lo }]) => `${name} ${hi}:${lo}`);
}

function membersOf<T>(prefix: RegExp, member: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(regs)
      .filter(([name, register]) => prefix.test(name) && member in Object(register))
      .map(([name, register]) => [name, (Object(register) as Record<string, T>)[member]]),
  );
}

describe('INTIDs', () => {
  test('are divided as in table 2-1', () => {
    expect(regs).toMatchObject({
      FIRST_PPI: 16,
      FIRST_SPI: 32,
      FIRST_SPECIAL: 1020,
      SPURIOUS: 1023,
      FIRST_EPPI: 1056,
      FIRST_ESPI: 4096,
      END_OF_ESPIS: 5120,
      FIRST_LPI: 8192,
    });
  });
});

describe('the Distributor', () => {
  test('has its registers where its register map says', () => {
    expect(membersOf(/^GICD_/, 'offset')).toEqual({
      GICD_CTLR: 0x0000,
      GICD_CTLR_NS: 0x0000,
      GICD_TYPER: 0x0004,
      GICD_IIDR: 0x0008,
      GICD_TYPER2: 0x000c,
      GICD_SETSPI_NSR: 0x0040,
      GICD_CLRSPI_NSR: 0x0048,
      GICD_IGROUPR: 0x0080,
      GICD_ISENABLER: 0x0100,
      GICD_ICENABLER: 0x0180,
      GICD_ISPENDR: 0x0200,
      GICD_ICPENDR: 0x0280,
      GICD_ISACTIVER: 0x0300,
      GICD_ICACTIVER: 0x0380,
      GICD_IPRIORITYR: 0x0400,
      GICD_ICFGR: 0x0c00,
      GICD_IGROUPRnE: 0x1000,
      GICD_ISENABLERnE: 0x1200,
      GICD_ICENABLERnE: 0x1400,
      GICD_ISPENDRnE: 0x1600,
      GICD_ICPENDRnE: 0x1800,
      GICD_ISACTIVERnE: 0x1a00,
      GICD_ICACTIVERnE: 0x1c00,
      GICD_IPRIORITYRnE: 0x2000,
      GICD_ICFGRnE: 0x3000,
      GICD_IROUTER: 0x6000,
      GICD_IROUTERnE: 0x8000,
      GICD_ID: 0xffd0,
      GICD_PIDR2: 0xffe8,
    });
    // From GICD_IGROUPR0 to GICD_IGROUPR31 and so on; GICD_IROUTER ends with that of INTID 1019.
    expect(membersOf(/^GICD_/, 'sizeBytes')).toEqual({
      GICD_IGROUPR: 0x80,
      GICD_ISENABLER: 0x80,
      GICD_ICENABLER: 0x80,
      GICD_ISPENDR: 0x80,
      GICD_ICPENDR: 0x80,
      GICD_ISACTIVER: 0x80,
      GICD_ICACTIVER: 0x80,
      GICD_IPRIORITYR: 0x400,
      GICD_ICFGR: 0x100,
      GICD_IGROUPRnE: 0x80,
      GICD_ISENABLERnE: 0x80,
      GICD_ICENABLERnE: 0x80,
      GICD_ISPENDRnE: 0x80,
      GICD_ICPENDRnE: 0x80,
      GICD_ISACTIVERnE: 0x80,
      GICD_ICACTIVERnE: 0x80,
      GICD_IPRIORITYRnE: 0x400,
      GICD_ICFGRnE: 0x100,
      GICD_IROUTER: 0x1fe0,
      GICD_IROUTERnE: 0x2000,
      GICD_ID: 0x30,
    });
  });

  test.each([
    ['GICD_CTLR', ['EnableGrp0 0:0', 'EnableGrp1 1:1', 'ARE 4:4', 'DS 6:6', 'E1NWF 7:7', 'nASSGIreq 8:8', 'RWP 31:31']],
    ['GICD_CTLR_NS', ['EnableGrp1 0:0', 'EnableGrp1A 1:1', 'ARE_NS 4:4', 'RWP 31:31']],
    [
      'GICD_TYPER',
      [
        'ITLinesNumber 4:0',
        'CPUNumber 7:5',
        'ESPI 8:8',
        'NMI 9:9',
        'SecurityExtn 10:10',
        'num_LPIs 15:11',
        'MBIS 16:16',
        'LPIS 17:17',
        'DVIS 18:18',
        'IDbits 23:19',
        'A3V 24:24',
        'No1N 25:25',
        'RSS 26:26',
        'ESPI_range 31:27',
      ],
    ],
    ['GICD_IIDR', ['Implementer 11:0', 'Revision 15:12', 'Variant 19:16', 'ProductID 31:24']],
    ['GICD_TYPER2', ['VID 4:0', 'VIL 7:7', 'nASSGIcap 8:8']],
    ['GICD_SETSPI_NSR', ['INTID 12:0']],
    ['GICD_CLRSPI_NSR', ['INTID 12:0']],
    ['GICD_IROUTER', ['Aff0 7:0', 'Aff1 15:8', 'Aff2 23:16', 'Interrupt_Routing_Mode 31:31', 'Aff3 39:32']],
    ['GICD_PIDR2', ['ArchRev 7:4']],
  ] as const)('%s', (name, expected) => {
    expect(ranges(regs[name])).toEqual(expected);
  });
});

describe('a Redistributor', () => {
  test('has its registers where its register map says, in frames of 64 KiB', () => {
    expect(regs.GICR_FRAME_BYTES).toBe(0x1_0000);
    expect(membersOf(/^GICR_/, 'offset')).toEqual({
      GICR_CTLR: 0x0000,
      GICR_IIDR: 0x0004,
      GICR_TYPER: 0x0008,
      GICR_TYPER_Affinity_Value: 0x000c,
      GICR_WAKER: 0x0014,
      GICR_SETLPIR: 0x0040,
      GICR_CLRLPIR: 0x0048,
      GICR_PROPBASER: 0x0070,
      GICR_PENDBASER: 0x0078,
      GICR_INVLPIR: 0x00a0,
      GICR_INVALLR: 0x00b0,
      GICR_SYNCR: 0x00c0,
      GICR_PIDR2: 0xffe8,
    });
  });

  test.each([
    [
      'GICR_CTLR',
      ['EnableLPIs 0:0', 'CES 1:1', 'IR 2:2', 'RWP 3:3', 'DPG0 24:24', 'DPG1NS 25:25', 'DPG1S 26:26', 'UWP 31:31'],
    ],
    [
      'GICR_TYPER',
      [
        'PLPIS 0:0',
        'VLPIS 1:1',
        'Dirty 2:2',
        'DirectLPI 3:3',
        'Last 4:4',
        'DPGS 5:5',
        'MPAM 6:6',
        'RVPEID 7:7',
        'Processor_Number 23:8',
        'CommonLPIAff 25:24',
        'VSGI 26:26',
        'PPInum 31:27',
      ],
    ],
    ['GICR_WAKER', ['ProcessorSleep 1:1', 'ChildrenAsleep 2:2']],
    [
      'GICR_PROPBASER',
      ['IDbits 4:0', 'InnerCache 9:7', 'Shareability 11:10', 'Physical_Address 51:12', 'OuterCache 58:56'],
    ],
    [
      'GICR_PENDBASER',
      ['InnerCache 9:7', 'Shareability 11:10', 'Physical_Address 51:16', 'OuterCache 58:56', 'PTZ 62:62'],
    ],
    ['GICR_SYNCR', ['Busy 0:0']],
    ['GICR_PIDR2', ['ArchRev 7:4']],
    ['LPI_CONFIGURATION', ['Enable 0:0', 'Priority 7:2']],
  ] as const)('%s', (name, expected) => {
    expect(ranges(regs[name])).toEqual(expected);
  });
});

describe('the CPU interface', () => {
  test('has its system registers at their encodings', () => {
    // op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2, of S3_0_C4_C6_0 for ICC_PMR_EL1 and of S3_0_C12_C<m>_<op2> for the rest.
    expect(membersOf(/^ICC_/, 'sysreg')).toEqual({
      ICC_PMR_EL1: 0xc230,
      ICC_IAR0_EL1: 0xc640,
      ICC_EOIR0_EL1: 0xc641,
      ICC_HPPIR0_EL1: 0xc642,
      ICC_BPR0_EL1: 0xc643,
      ICC_AP0R_EL1: 0xc644,
      ICC_AP1R_EL1: 0xc648,
      ICC_DIR_EL1: 0xc659,
      ICC_RPR_EL1: 0xc65b,
      ICC_SGI1R_EL1: 0xc65d,
      ICC_ASGI1R_EL1: 0xc65e,
      ICC_SGI0R_EL1: 0xc65f,
      ICC_IAR1_EL1: 0xc660,
      ICC_EOIR1_EL1: 0xc661,
      ICC_HPPIR1_EL1: 0xc662,
      ICC_BPR1_EL1: 0xc663,
      ICC_CTLR_EL1: 0xc664,
      ICC_SRE_EL1: 0xc665,
      ICC_IGRPEN0_EL1: 0xc666,
      ICC_IGRPEN1_EL1: 0xc667,
    });
  });

  test.each([
    ['ICC_PMR_EL1', ['Priority 7:0']],
    ['ICC_IAR0_EL1', ['INTID 23:0']],
    ['ICC_IAR1_EL1', ['INTID 23:0']],
    ['ICC_EOIR0_EL1', ['INTID 23:0']],
    ['ICC_EOIR1_EL1', ['INTID 23:0']],
    ['ICC_HPPIR0_EL1', ['INTID 23:0']],
    ['ICC_HPPIR1_EL1', ['INTID 23:0']],
    ['ICC_DIR_EL1', ['INTID 23:0']],
    ['ICC_BPR0_EL1', ['BinaryPoint 2:0']],
    ['ICC_BPR1_EL1', ['BinaryPoint 2:0']],
    ['ICC_RPR_EL1', ['Priority 7:0']],
    [
      'ICC_SGI1R_EL1',
      ['TargetList 15:0', 'Aff1 23:16', 'INTID 27:24', 'Aff2 39:32', 'IRM 40:40', 'RS 47:44', 'Aff3 55:48'],
    ],
    [
      'ICC_CTLR_EL1',
      [
        'CBPR 0:0',
        'EOImode 1:1',
        'PMHE 6:6',
        'PRIbits 10:8',
        'IDbits 13:11',
        'SEIS 14:14',
        'A3V 15:15',
        'RSS 18:18',
        'ExtRange 19:19',
      ],
    ],
    ['ICC_SRE_EL1', ['SRE 0:0', 'DFB 1:1', 'DIB 2:2']],
    ['ICC_IGRPEN0_EL1', ['Enable 0:0']],
    ['ICC_IGRPEN1_EL1', ['Enable 0:0']],
  ] as const)('%s', (name, expected) => {
    expect(ranges(regs[name])).toEqual(expected);
  });
});
