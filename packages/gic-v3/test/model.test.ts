// SPDX-License-Identifier: Apache-2.0
// The model against accesses written by hand. Section numbers are those of Arm IHI 0069.

import { FirmwareError } from '@irqkit/core';
import { regs } from '@irqkit/gic-v3';
import { GICD, GICR, Machine } from './support/machine.js';
import { acknowledge, end, upAndRunning } from './support/linux-setup.js';

const SPURIOUS = 1023;
const EDGE = 1;
const LEVEL = 4;

/** GICD_TYPER of QEMU's virt with bits changed. */
const TYPER = 0x037a_0007;
const NO_1_OF_N = 0x0200_0000;
const RSS = 0x0400_0000;
/** ESPI, ESPI_range 31. */
const ALL_ESPIS = 0xf800_0100;
/** ITLinesNumber 31. */
const ALL_SPIS = 0x1f;

describe('identification', () => {
  it('reads as QEMU virt with an ITS does', () => {
    const machine = new Machine();
    expect([0x0, 0x4, 0x8, 0xc, 0xffe8].map((offset) => machine.read(GICD + offset))).toEqual([
      0x50, 0x037a_0007, 0x43b, 0, 0x3b,
    ]);
    expect([0x0, 0x4, 0x8, 0xc, 0x14, 0xffe8].map((offset) => machine.read(GICR + offset))).toEqual([
      2, 0x43b, 0x0100_0001, 0, 6, 0x3b,
    ]);
    expect([0x2_0008, 0x2_000c].map((offset) => machine.read(GICR + offset))).toEqual([0x0100_0111, 1]);
    expect(machine.read(GICR + 0x4_0008)).toBe(0);
  });

  it('GICR_TYPER holds the affinity of each processor, Last the end of each region', () => {
    const machine = new Machine({
      mpidr: [0x0, 0x101, 0x1_0000, 0x12_0003_0201],
      reg: [GICD, 0x1_0000, GICR, 0x4_0000, 0x900_0000, 0x6_0000],
      cells: { '#redistributor-regions': [2] },
    });
    const typer = (base: number): number[] => [machine.read(base + 8), machine.read(base + 12)];
    expect(typer(GICR)).toEqual([0x0100_0001, 0x0]);
    expect(typer(GICR + 0x2_0000)).toEqual([0x0100_0111, 0x101]);
    expect(typer(0x900_0000)).toEqual([0x0100_0201, 0x1_0000]);
    expect(typer(0x902_0000)).toEqual([0x0100_0311, 0x1203_0201]);
    expect(typer(0x904_0000)).toEqual([0, 0]);
  });

  it('redistributor-stride spaces the frames', () => {
    const machine = new Machine({ cells: { 'redistributor-stride': [0, 0x4_0000] } });
    expect(machine.read(GICR + 0x2_0008)).toBe(0);
    expect(machine.read(GICR + 0x4_0008)).toBe(0x0100_0111);
  });

  it('has no room for more processors than reg has Redistributors', () => {
    expect(() => new Machine({ nrCpus: 3, reg: [GICD, 0x1_0000, GICR, 0x4_0000] })).toThrow(FirmwareError);
  });

  it('what is not modelled is not announced: NMI, a second Security state, GICv4', () => {
    const machine = new Machine({ silicon: { GICD_TYPER: TYPER + 0x0004_0600, GICR_TYPER: 0x0100_0087 } });
    expect(machine.read(GICD + 4)).toBe(TYPER);
    expect(machine.read(GICR + 8)).toBe(0x0100_0001);
  });
});

describe('the Distributor', () => {
  it('cannot leave affinity routing, and has one Security state', () => {
    const machine = new Machine();
    machine.write(GICD, 0xffff_ffff);
    expect(machine.read(GICD)).toBe(0x53);
    machine.write(GICD, 0);
    expect(machine.read(GICD)).toBe(0x50);
  });

  it('leaves SGIs and PPIs to the Redistributors', () => {
    const machine = new Machine();
    for (const offset of [0x80, 0x100, 0x200, 0x300, 0x400, 0x41c, 0xc00, 0xc04, 0x6000, 0x60f8, 0x800, 0xf00, 0xf10]) {
      machine.write(GICD + offset, 0xffff_ffff);
      expect([offset, machine.read(GICD + offset)]).toEqual([offset, 0]);
    }
  });

  it('SPIs end at GICD_TYPER.ITLinesNumber, and at INTID 1019', () => {
    const virt = new Machine();
    virt.write(GICD + 0x120, 0xffff_ffff);
    expect(virt.read(GICD + 0x120)).toBe(0);
    const full = new Machine({ silicon: { GICD_TYPER: TYPER | ALL_SPIS } });
    full.write(GICD + 0x17c, 0xffff_ffff);
    expect(full.read(GICD + 0x17c)).toBe(0x0fff_ffff);
    full.write(GICD + 0x7f8, 0x1111_1110);
    full.write(GICD + 0x7fc, 0xffff_ffff);
    expect([full.read(GICD + 0x7f8), full.read(GICD + 0x7fc)]).toEqual([0x1010_1010, 0]);
    full.write64(GICD + 0x6000 + 1019 * 8, 1, 0);
    expect(full.read(GICD + 0x6000 + 1019 * 8)).toBe(1);
  });

  it('extended SPIs have registers of their own', () => {
    const machine = new Machine({ silicon: { GICD_TYPER: (TYPER | ALL_ESPIS) >>> 0 } });
    machine.write(GICD + 0x127c, 0x8000_0000);
    machine.write(GICD + 0x23fc, 0x4030_2010);
    machine.write(GICD + 0x30fc, 0x8000_0000);
    machine.write64(GICD + 0x8000 + 1023 * 8, 1, 0);
    expect([0x127c, 0x147c, 0x23fc, 0x30fc, 0x9ff8].map((offset) => machine.read(GICD + offset))).toEqual([
      0x8000_0000, 0x8000_0000, 0x4030_2010, 0x8000_0000, 1,
    ]);
    expect(machine.read(GICD + 0x100)).toBe(0);
    const without = new Machine();
    without.write(GICD + 0x1200, 1);
    expect(without.read(GICD + 0x1200)).toBe(0);
  });

  it('priorities may be accessed by bytes and have the implemented bits only', () => {
    const machine = new Machine();
    machine.write(GICD + 0x421, 0xff, 1);
    expect([machine.read(GICD + 0x421, 1), machine.read(GICD + 0x420)]).toEqual([0xf8, 0xf800]);
  });

  it('GICD_IROUTER has the affinity, and no routing mode where GICD_TYPER.No1N is 1', () => {
    const machine = new Machine();
    machine.write64(GICD + 0x6100, 0xffff_ffff, 0xffff_ffff);
    expect([machine.read(GICD + 0x6100), machine.read(GICD + 0x6104)]).toEqual([0x00ff_ffff, 0xff]);
    machine.write(GICD + 0x6100, 1);
    expect([machine.read(GICD + 0x6100), machine.read(GICD + 0x6104)]).toEqual([1, 0xff]);
    const oneOfN = new Machine({ silicon: { GICD_TYPER: TYPER - NO_1_OF_N } });
    oneOfN.write64(GICD + 0x6100, 0x8000_0001, 0);
    expect(oneOfN.read(GICD + 0x6100)).toBe(0x8000_0001);
  });

  it('accesses of another width are RAZ/WI and told', () => {
    const machine = new Machine();
    machine.write(GICD + 0x104, 0xffff, 2);
    expect([machine.read(GICD + 0x104), machine.read(GICD + 4, 2)]).toEqual([0, 0]);
    expect(machine.messages).toHaveLength(2);
  });
});

describe('an SPI', () => {
  const raise = (machine: Machine, spi: number, flags: number): void => machine.model.line([0, spi, flags])!.set(true);

  it('goes to the processor of its GICD_IROUTER, and moves while it is pending', () => {
    const machine = upAndRunning();
    machine.write(GICD + 0x104, 1 << 4);
    raise(machine, 4, LEVEL);
    expect([machine.cpus.irqAsserted(0), machine.cpus.irqAsserted(1)]).toEqual([true, false]);
    machine.write64(GICD + 0x6000 + 36 * 8, 1, 0);
    expect([machine.cpus.irqAsserted(0), machine.cpus.irqAsserted(1)]).toEqual([false, true]);
    machine.write64(GICD + 0x6000 + 36 * 8, 7, 0);
    expect([machine.cpus.irqAsserted(0), machine.cpus.irqAsserted(1)]).toEqual([false, false]);
    machine.write64(GICD + 0x6000 + 36 * 8, 0, 0);
    expect(acknowledge(machine, 1)).toBe(SPURIOUS);
    expect(acknowledge(machine, 0)).toBe(36);
    expect(machine.read(GICD + 0x304)).toBe(1 << 4);
  });

  it('level-sensitive, comes again after its end while the wire is high', () => {
    const machine = upAndRunning();
    machine.write(GICD + 0x104, 1 << 4);
    const wire = machine.model.line([0, 4, LEVEL])!;
    wire.set(true);
    expect(acknowledge(machine, 0)).toBe(36);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    end(machine, 0, 36);
    expect(acknowledge(machine, 0)).toBe(36);
    wire.set(false);
    end(machine, 0, 36);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
  });

  it('edge-triggered, comes once for each edge', () => {
    const machine = upAndRunning();
    machine.write(GICD + 0x104, 1 << 4);
    machine.write(GICD + 0xc08, 2 << 8);
    raise(machine, 4, EDGE);
    expect(acknowledge(machine, 0)).toBe(36);
    end(machine, 0, 36);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    machine.model.sink.setPending(36);
    expect(acknowledge(machine, 0)).toBe(36);
    machine.model.sink.setPending(36);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    end(machine, 0, 36);
    expect(acknowledge(machine, 0)).toBe(36);
  });

  it('several wires share an input', () => {
    const machine = upAndRunning();
    machine.write(GICD + 0x104, 1);
    const [a, b] = [machine.model.line([0, 0, LEVEL])!, machine.model.line([0, 0, LEVEL])!];
    a.set(true);
    b.set(true);
    a.set(false);
    expect(machine.cpus.irqAsserted(0)).toBe(true);
    b.set(false);
    expect(machine.cpus.irqAsserted(0)).toBe(false);
  });

  it('of the extended range is delivered like any other', () => {
    const machine = upAndRunning({ silicon: { GICD_TYPER: (TYPER | ALL_ESPIS) >>> 0 } });
    machine.write(GICD + 0x127c, 0x8000_0000);
    machine.write64(GICD + 0x9ff8, 1, 0);
    machine.model.line([2, 1023, LEVEL])!.set(true);
    expect(acknowledge(machine, 1)).toBe(5119);
    end(machine, 1, 5119);
    expect(acknowledge(machine, 1)).toBe(5119);
  });

  it('specifiers that name no input have no line', () => {
    const { model } = new Machine();
    for (const specifier of [
      [],
      [0, 1],
      [0, 224, LEVEL],
      [0, 988, LEVEL],
      [0, 1024, LEVEL],
      [1, 16, LEVEL],
      [2, 0, LEVEL],
      [3, 0, LEVEL],
      [4, 0, LEVEL],
      [0, -1, LEVEL],
    ])
      expect(model.line(specifier)).toBeUndefined();
    expect(model.line([0, 223, LEVEL])).toBeDefined();
    expect(model.line([1, 15, LEVEL, 0])).toBeDefined();
  });
});

describe('1 of N routing', () => {
  const facts = { silicon: { GICD_TYPER: TYPER - NO_1_OF_N, GICR_TYPER: 0x0100_0021 } };

  it('CHOICE: takes the first processor that is awake, enabled and not deselected', () => {
    const machine = upAndRunning(facts);
    machine.write(GICD + 0x104, 1);
    machine.write64(GICD + 0x6100, 0x8000_0001, 0);
    const wire = machine.model.line([0, 0, LEVEL])!;
    wire.set(true);
    const asserted = (): boolean[] => [machine.cpus.irqAsserted(0), machine.cpus.irqAsserted(1)];
    expect(asserted()).toEqual([true, false]);
    machine.write(machine.rd(0), 0x0200_0000);
    expect(asserted()).toEqual([false, true]);
    machine.write(machine.rd(0), 0);
    machine.msr(0, regs.ICC_IGRPEN1_EL1, 0);
    expect(asserted()).toEqual([false, true]);
    machine.write(machine.rd(1) + 0x14, 2);
    expect(asserted()).toEqual([false, false]);
    machine.msr(0, regs.ICC_IGRPEN1_EL1, 1);
    expect(acknowledge(machine, 0)).toBe(32);
  });
});

describe('message-based SPIs', () => {
  const mbis = { cells: { 'msi-controller': [], 'mbi-ranges': [64, 32], 'mbi-alias': [0, 0xa00_0000] } };

  it('GICD_SETSPI_NSR and its alias raise edges, GICD_CLRSPI_NSR takes them back', () => {
    const machine = upAndRunning(mbis);
    expect(machine.read(GICD + 4)).toBe(TYPER + 0x1_0000);
    machine.write(GICD + 0x108, 0xf);
    machine.write(GICD + 0xc10, 0xaa);
    machine.write(GICD + 0x40, 64);
    machine.write(0xa00_0040, 65, 2);
    machine.write(0xa00_0040, 66, 1);
    machine.write(GICD + 0x40, 67);
    machine.write(0xa00_0048, 67);
    expect(machine.read(GICD + 0x208)).toBe(0b0011);
    expect([acknowledge(machine, 0), machine.read(0xa00_0040)]).toEqual([64, 0]);
  });

  it('a level-sensitive SPI stays pending from SETSPI to CLRSPI', () => {
    const machine = upAndRunning(mbis);
    machine.write(GICD + 0x108, 1);
    machine.write(GICD + 0x40, 64);
    expect(acknowledge(machine, 0)).toBe(64);
    end(machine, 0, 64);
    expect(acknowledge(machine, 0)).toBe(64);
    machine.write(GICD + 0x48, 64);
    end(machine, 0, 64);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
  });

  it('INTIDs that are no SPIs are told and ignored; without GICD_TYPER.MBIS there are none', () => {
    const machine = upAndRunning(mbis);
    for (const intid of [0, 31, 256, 1023, 4096, 8191]) machine.write(GICD + 0x40, intid);
    expect(machine.messages).toHaveLength(6);
    const without = upAndRunning();
    without.write(GICD + 0x40, 64);
    expect(without.read(GICD + 0x208)).toBe(0);
  });
});

describe('private interrupts', () => {
  it('SGIs are edge-triggered and enabled one by one', () => {
    const machine = upAndRunning();
    expect(machine.read(machine.sgi(0) + 0xc00)).toBe(0xaaaa_aaaa);
    machine.write(machine.sgi(0) + 0xc00, 0);
    expect(machine.read(machine.sgi(0) + 0xc00)).toBe(0xaaaa_aaaa);
    machine.msr(1, regs.ICC_SGI1R_EL1, 0x0300_0001);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    machine.write(machine.sgi(0) + 0x100, 1 << 3);
    expect(acknowledge(machine, 0)).toBe(3);
  });

  it('a PPI belongs to each processor; privateLine reaches one', () => {
    const machine = upAndRunning();
    for (const cpu of [0, 1]) machine.write(machine.sgi(cpu) + 0x100, 1 << 27);
    machine.model.privateLine(1, 27)!.set(true);
    expect([acknowledge(machine, 0), acknowledge(machine, 1)]).toEqual([SPURIOUS, 27]);
    const all = machine.model.line([1, 14, LEVEL])!;
    machine.write(machine.sgi(0) + 0x100, 1 << 30);
    machine.write(machine.sgi(1) + 0x100, 1 << 30);
    all.set(true);
    end(machine, 1, 27);
    machine.model.privateLine(1, 27)!.set(false);
    expect(acknowledge(machine, 0)).toBe(30);
    for (const [cpu, intid] of [
      [0, 15],
      [0, 32],
      [2, 27],
      [0, 1056],
    ])
      expect(machine.model.privateLine(cpu, intid)).toBeUndefined();
  });

  it('extended PPIs follow in the same frame', () => {
    const machine = upAndRunning({ silicon: { GICR_TYPER: 0x1100_0001 } });
    machine.write(machine.sgi(1) + 0x108, 0x8000_0000);
    machine.write(machine.sgi(1) + 0x45f, 0x40, 1);
    machine.model.line([3, 63, LEVEL])!.set(true);
    expect(machine.model.line([3, 64, LEVEL])).toBeUndefined();
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    expect(acknowledge(machine, 1)).toBe(1119);
    expect(machine.mrs(1, regs.ICC_RPR_EL1)).toBe(0x40);
  });

  it('of equal priorities the lowest INTID goes first, extended PPIs after SPIs', () => {
    const machine = upAndRunning({ silicon: { GICR_TYPER: 0x1100_0001 } });
    machine.write(machine.sgi(0) + 0x104, 1);
    machine.write(GICD + 0x104, 1);
    machine.model.line([3, 0, LEVEL])!.set(true);
    machine.model.line([0, 0, LEVEL])!.set(true);
    expect(machine.mrs(0, regs.ICC_HPPIR1_EL1)).toBe(32);
  });

  it('a sleeping processor is signalled nothing and loses nothing', () => {
    const machine = upAndRunning();
    machine.write(machine.sgi(0) + 0x100, 1);
    machine.write(machine.rd(0) + 0x14, 2);
    expect(machine.read(machine.rd(0) + 0x14)).toBe(6);
    machine.msr(1, regs.ICC_SGI1R_EL1, 1);
    expect([machine.cpus.irqAsserted(0), machine.read(machine.sgi(0) + 0x200)]).toEqual([false, 1]);
    machine.write(machine.rd(0) + 0x14, 0);
    expect([machine.cpus.irqAsserted(0), machine.read(machine.rd(0) + 0x14)]).toEqual([true, 0]);
  });
});

describe('SGIs by system registers', () => {
  const received = (machine: Machine): number[] =>
    machine.cpus.mpidr.flatMap((_, cpu) => (machine.read(machine.sgi(cpu) + 0x200) === 0 ? [] : [cpu]));

  it('reach the cluster and target list, with Aff3, Aff2 and Aff1', () => {
    const mpidr = [0x0, 0x1, 0x100, 0x101, 0x2_0001, 0x3_0000_0001];
    const send = (lo: number, hi: number): number[] => {
      const machine = upAndRunning({ mpidr });
      machine.msr(0, regs.ICC_SGI1R_EL1, lo, hi);
      return received(machine);
    };
    expect(send(0xffff, 0)).toEqual([0, 1]);
    expect(send(0x0001_0002, 0)).toEqual([3]);
    expect(send(0x0000_0002, 0x2)).toEqual([4]);
    expect(send(0x0000_0003, 0x0003_0000)).toEqual([5]);
    expect(send(0x0002_ffff, 0)).toEqual([]);
  });

  it('IRM reaches all but the sender', () => {
    const machine = upAndRunning({ nrCpus: 4 });
    machine.msr(2, regs.ICC_SGI1R_EL1, 0, 0x100);
    expect(received(machine)).toEqual([0, 1, 3]);
  });

  it('RS selects sixteen Aff0 values; without GICD_TYPER.RSS it is told and counts as 0', () => {
    const facts = { mpidr: [0, 0x11] };
    const machine = upAndRunning({ ...facts, silicon: { GICD_TYPER: TYPER + RSS } });
    machine.msr(0, regs.ICC_SGI1R_EL1, 2, 0x1000);
    expect(received(machine)).toEqual([1]);
    const without = upAndRunning(facts);
    without.msr(0, regs.ICC_SGI1R_EL1, 1, 0x1000);
    expect([received(without), without.messages.length]).toEqual([[0], 1]);
  });

  it('reach only those who have the SGI in that group', () => {
    const machine = upAndRunning();
    machine.write(machine.sgi(1) + 0x80, 0);
    machine.msr(0, regs.ICC_SGI1R_EL1, 3);
    expect(received(machine)).toEqual([0]);
    machine.msr(0, regs.ICC_SGI0R_EL1, 3);
    expect(received(machine)).toEqual([0, 1]);
    const alias = upAndRunning();
    alias.write(alias.sgi(1) + 0x80, 0);
    alias.msr(0, regs.ICC_ASGI1R_EL1, 3);
    expect(received(alias)).toEqual([1]);
  });
});

describe('the CPU interface', () => {
  it('reads as a Cortex-A72 does under QEMU', () => {
    const machine = new Machine();
    expect(machine.mrs(0, regs.ICC_CTLR_EL1)).toBe(0x8c00);
    expect(machine.mrs(0, regs.ICC_SRE_EL1)).toBe(7);
    machine.msr(0, regs.ICC_SRE_EL1, 0);
    expect(machine.mrs(0, regs.ICC_SRE_EL1)).toBe(7);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xff);
    expect(machine.mrs(0, { sysreg: 0xc66f })).toBe(0);
    machine.msr(0, { sysreg: 0xc66f }, 1);
    expect(machine.messages).toHaveLength(2);
  });

  it('binary points and masks have what five bits of priority leave', () => {
    const machine = new Machine();
    for (const register of [regs.ICC_BPR0_EL1, regs.ICC_BPR1_EL1]) machine.msr(0, register, 0);
    machine.msr(0, regs.ICC_PMR_EL1, 0xff);
    expect([regs.ICC_BPR0_EL1, regs.ICC_BPR1_EL1, regs.ICC_PMR_EL1].map((each) => machine.mrs(0, each))).toEqual([
      2, 3, 0xf8,
    ]);
    machine.msr(0, regs.ICC_CTLR_EL1, 1);
    machine.msr(0, regs.ICC_BPR0_EL1, 4);
    machine.msr(0, regs.ICC_BPR1_EL1, 7);
    expect([machine.mrs(0, regs.ICC_CTLR_EL1), machine.mrs(0, regs.ICC_BPR1_EL1)]).toEqual([0x8c01, 5]);
    machine.msr(0, regs.ICC_CTLR_EL1, 0);
    expect(machine.mrs(0, regs.ICC_BPR1_EL1)).toBe(3);
  });

  const two = (first: number, second: number, setup?: (machine: Machine) => void): Machine => {
    const machine = upAndRunning();
    machine.write(GICD + 0x104, 0b11);
    machine.write(GICD + 0x420, first, 1);
    machine.write(GICD + 0x421, second, 1);
    setup?.(machine);
    machine.model.line([0, 0, LEVEL])!.set(true);
    expect(acknowledge(machine, 0)).toBe(32);
    machine.model.line([0, 1, LEVEL])!.set(true);
    return machine;
  };

  it('a higher group priority preempts, and ends in reverse order', () => {
    const machine = two(0x80, 0x40);
    expect(machine.cpus.irqAsserted(0)).toBe(true);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0x80);
    expect(acknowledge(machine, 0)).toBe(33);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0x40);
    expect(machine.mrs(0, regs.ICC_AP1R_EL1)).toBe(0x0001_0100);
    end(machine, 0, 33);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0x80);
  });

  it('the same group priority does not preempt: the binary point says what a group is', () => {
    // The Non-secure ICC_BPR1_EL1: 3 makes groups of bits [7:3], 4 of [7:4], 6 of [7:6].
    const machine = two(0x88, 0x80, (each) => each.msr(0, regs.ICC_BPR1_EL1, 3));
    expect([machine.cpus.irqAsserted(0), machine.mrs(0, regs.ICC_RPR_EL1)]).toEqual([true, 0x88]);
    const joined = two(0x88, 0x80, (each) => each.msr(0, regs.ICC_BPR1_EL1, 4));
    expect([joined.cpus.irqAsserted(0), joined.mrs(0, regs.ICC_RPR_EL1)]).toEqual([false, 0x80]);
    // ICC_BPR0_EL1 counts from [7:1] at 0, and with CBPR for Group 1 too.
    const common = two(0x88, 0x80, (each) => {
      each.msr(0, regs.ICC_CTLR_EL1, 1);
      each.msr(0, regs.ICC_BPR0_EL1, 3);
    });
    expect(common.cpus.irqAsserted(0)).toBe(false);
    const coarse = two(0xb0, 0x80, (each) => each.msr(0, regs.ICC_BPR1_EL1, 6));
    expect(coarse.cpus.irqAsserted(0)).toBe(false);
    expect(coarse.mrs(0, regs.ICC_RPR_EL1)).toBe(0x80);
    expect(coarse.mrs(0, regs.ICC_HPPIR1_EL1)).toBe(33);
    end(coarse, 0, 32);
    expect(acknowledge(coarse, 0)).toBe(33);
  });

  it('ICC_PMR_EL1 masks priorities that are not higher', () => {
    const machine = two(0x80, 0x40, (each) => each.msr(0, regs.ICC_PMR_EL1, 0x88));
    end(machine, 0, 32);
    machine.msr(0, regs.ICC_PMR_EL1, 0x40);
    expect([machine.cpus.irqAsserted(0), acknowledge(machine, 0)]).toEqual([false, SPURIOUS]);
    machine.msr(0, regs.ICC_PMR_EL1, 0x48);
    expect(acknowledge(machine, 0)).toBe(33);
  });

  it('with EOImode 1 an end drops the priority and ICC_DIR_EL1 deactivates', () => {
    const machine = two(0x80, 0x80, (each) => each.msr(0, regs.ICC_CTLR_EL1, 2));
    end(machine, 0, 32);
    expect([machine.read(GICD + 0x304), machine.mrs(0, regs.ICC_RPR_EL1)]).toEqual([1, 0xff]);
    expect(acknowledge(machine, 0)).toBe(33);
    machine.msr(0, regs.ICC_DIR_EL1, 32);
    expect(machine.read(GICD + 0x304)).toBe(2);
    machine.msr(0, regs.ICC_CTLR_EL1, 0);
    machine.msr(0, regs.ICC_DIR_EL1, 33);
    expect(machine.read(GICD + 0x304)).toBe(2);
  });

  it('Group 0 has registers of its own and no IRQ', () => {
    const machine = upAndRunning();
    machine.write(GICD + 0x84, 0);
    machine.write(GICD + 0x104, 1);
    machine.msr(0, regs.ICC_IGRPEN0_EL1, 1);
    machine.model.line([0, 0, LEVEL])!.set(true);
    expect(machine.cpus.irqAsserted(0)).toBe(false);
    expect([machine.mrs(0, regs.ICC_HPPIR1_EL1), machine.mrs(0, regs.ICC_IAR1_EL1)]).toEqual([SPURIOUS, SPURIOUS]);
    expect([machine.mrs(0, regs.ICC_HPPIR0_EL1), machine.mrs(0, regs.ICC_IAR0_EL1)]).toEqual([32, 32]);
    expect([machine.mrs(0, regs.ICC_AP0R_EL1), machine.mrs(0, regs.ICC_AP1R_EL1)]).toEqual([1 << 20, 0]);
    machine.msr(0, regs.ICC_EOIR1_EL1, 32);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xa0);
    machine.msr(0, regs.ICC_EOIR0_EL1, 32);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xff);
  });

  it('active priorities can be set and cleared by software', () => {
    const machine = upAndRunning();
    machine.msr(0, regs.ICC_AP1R_EL1, 0x0000_0100);
    machine.msr(0, { sysreg: regs.ICC_AP1R_EL1.sysreg + 1 }, 0xffff_ffff);
    expect([machine.mrs(0, regs.ICC_RPR_EL1), machine.mrs(0, { sysreg: regs.ICC_AP1R_EL1.sysreg + 1 })]).toEqual([
      0x40, 0,
    ]);
    machine.msr(0, regs.ICC_AP1R_EL1, 0);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xff);
  });
});
