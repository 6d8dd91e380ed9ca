// SPDX-License-Identifier: Apache-2.0
// The model against accesses written by hand, with results worked out from Arm IHI 0048B.
import { LinuxError } from '@irqkit/core';
import { GIC400_SILICON } from '@irqkit/gic-v2';
import { BenchGic } from './bench-gic.js';

const CTLR = 0x00;
const PMR = 0x04;
const BPR = 0x08;
const IAR = 0x0c;
const EOIR = 0x10;
const RPR = 0x14;
const HPPIR = 0x18;
const ABPR = 0x1c;
const AIAR = 0x20;
const AEOIR = 0x24;
const AHPPIR = 0x28;
const DIR = 0x1000;
const SPURIOUS = 1023;

describe('identification', () => {
  it('reads as the GIC of QEMU virt by default', () => {
    const gic = new BenchGic(2);
    expect([gic.d(0x004), gic.d(0x008), gic.c(0x0fc)]).toEqual([0x28, 0x43b, 0x2043b]);
    const ids = [0xfd0, 0xfe0, 0xfe4, 0xfe8, 0xff0, 0xff4, 0xff8, 0xffc].map((offset) => gic.d(offset));
    expect(ids).toEqual([0x04, 0x90, 0xb4, 0x2b, 0x0d, 0xf0, 0x05, 0xb1]);
  });

  it('reads as a GIC-400 where its profile is given', () => {
    const gic = new BenchGic(4, GIC400_SILICON);
    expect([gic.d(0x004), gic.d(0x008), gic.c(0x0fc)]).toEqual([0x468, 0x0200143b, 0x0202143b]);
    expect([gic.c(BPR), gic.c(ABPR)]).toEqual([2, 3]);
    expect(gic.log).toEqual(['Security Extensions: every access sees all groups']);
  });

  it('takes a GICD_TYPER as read from silicon, but for the number of CPUs', () => {
    expect(new BenchGic(1, { GICD_TYPER: 0xffe0 | 0x1f }).d(0x004)).toBe(0x41f);
    expect(new BenchGic(8, { nrIrqs: 1020 }).d(0x004)).toBe(0xff);
  });
});

describe('register access', () => {
  it('takes bytes in IPRIORITYR and ITARGETSR, and words', () => {
    const gic = new BenchGic(8);
    gic.setD(0x421, 0x5a, 0, 1);
    gic.setD(0x424, 0x1122_3344);
    expect([gic.d(0x420), gic.d(0x421, 0, 1), gic.d(0x427, 0, 1)]).toEqual([0x5a00, 0x5a, 0x11]);
    gic.setD(0x823, 0x81, 0, 1);
    expect([gic.d(0x820), gic.d(0x823, 0, 1)]).toEqual([0x8100_0000, 0x81]);
  });

  it('is RAZ/WI for widths that section 4.1 does not list', () => {
    const gic = new BenchGic(2).open();
    gic.setD(0x104, 0xff, 0, 1);
    gic.setD(0x420, 0x5a5a, 0, 2);
    gic.setC(PMR, 0x10, 0, 1);
    expect([gic.d(0x104), gic.d(0x420), gic.c(PMR), gic.d(0x004, 0, 2), gic.c(PMR, 0, 1)]).toEqual([0, 0, 0xf0, 0, 0]);
    expect(gic.log).toHaveLength(5);
  });

  it('answers its own CPUs only', () => {
    const gic = new BenchGic(2).open();
    gic.setD(0x000, 0, -1);
    gic.setC(CTLR, 0, 2);
    expect([gic.d(0x004, -1), gic.c(PMR, 2), gic.d(0x000), gic.c(CTLR)]).toEqual([0, 0, 1, 1]);
  });

  it('implements as many priority bits as its silicon has', () => {
    const gic = new BenchGic(1, { PriorityBits: 5 });
    gic.setD(0x420, 0xffff_ffff);
    gic.setC(PMR, 0xff);
    gic.setC(BPR, 0);
    gic.setC(0x0d0, 0xffff_ffff);
    gic.setC(0x0d4, 0xffff_ffff);
    const seen = [gic.d(0x420), gic.c(PMR), gic.c(BPR), gic.c(0x0d0), gic.c(0x0d4)];
    expect(seen).toEqual([0xf8f8_f8f8, 0xf8, 2, 0xffff_ffff, 0]);
  });

  it('has RAZ/WI beyond its interrupts, and a short last word with 1020', () => {
    const gic = new BenchGic(2);
    for (const offset of [0x124, 0x224, 0x520, 0x920, 0xc48]) gic.setD(offset, 0xffff_ffff);
    expect([0x124, 0x224, 0x520, 0x920, 0xc48].map((offset) => gic.d(offset))).toEqual([0, 0, 0, 0, 0]);
    const full = new BenchGic(2, { nrIrqs: 1020 });
    full.setD(0x17c, 0xffff_ffff);
    expect(full.d(0x17c)).toBe(0x0fff_ffff);
  });

  it('shows each CPU its own bit in ITARGETSR0-7, and nothing on a uniprocessor', () => {
    const gic = new BenchGic(4);
    gic.setD(0x800, 0, 2);
    expect([0, 1, 2, 3].map((cpu) => gic.d(0x800, cpu))).toEqual([0x0101_0101, 0x0202_0202, 0x0404_0404, 0x0808_0808]);
    expect(gic.d(0x81c, 3)).toBe(0x0808_0808);
    const alone = new BenchGic(1);
    alone.setD(0x820, 0xffff_ffff);
    expect([alone.d(0x800), alone.d(0x820)]).toEqual([0, 0]);
  });

  it('keeps SGIs enabled and edge-triggered', () => {
    const gic = new BenchGic(1);
    gic.setD(0x180, 0xffff_ffff);
    gic.setD(0xc00, 0);
    expect([gic.d(0x100), gic.d(0x180), gic.d(0xc00)]).toEqual([0xffff, 0xffff, 0xaaaa_aaaa]);
  });

  it('keeps the bypass bits of GICC_CTLR, and warns of FIQ', () => {
    const gic = new BenchGic(1);
    gic.setC(CTLR, 0xffff_ffff);
    expect(gic.c(CTLR)).toBe(0x3ff);
    expect(gic.log).toEqual(['GICC_CTLR.FIQEn: Group 0 would go to an FIQ input']);
  });
});

describe('banked interrupts', () => {
  it('has a word of SGIs and PPIs for each CPU', () => {
    const gic = new BenchGic(2);
    gic.setD(0x100, 0x0800_0000, 1);
    gic.setD(0x41b, 0x50, 1, 1);
    gic.setD(0xc04, 0x0080_0000, 1);
    expect([gic.d(0x100, 0), gic.d(0x100, 1)]).toEqual([0xffff, 0x0800_ffff]);
    expect([gic.d(0x418, 0), gic.d(0x418, 1)]).toEqual([0, 0x5000_0000]);
    expect([gic.d(0xc04, 0), gic.d(0xc04, 1)]).toEqual([0, 0x0080_0000]);
  });

  it('wires a PPI to the CPUs of its mask', () => {
    const gic = new BenchGic(2).open();
    gic.setD(0x100, 0x0800_0000, 0);
    gic.setD(0x100, 0x0800_0000, 1);
    gic.model.line([1, 11, 0x204])?.set(true);
    expect(gic.irq).toEqual([false, true]);
    expect([gic.d(0x200, 0), gic.d(0x200, 1), gic.c(IAR, 0), gic.c(IAR, 1)]).toEqual([0, 0x0800_0000, SPURIOUS, 27]);
    gic.model.line([1, 11, 0x004])?.set(true);
    expect(gic.irq).toEqual([true, false]);
  });

  it('names no input for what is no PPI or SPI of it', () => {
    const { model } = new BenchGic(2);
    const foreign = [[0, 256, 4], [1, 16, 4], [2, 0, 4], [0, -1, 4], [0, 1], []];
    expect(foreign.map((specifier) => model.line(specifier))).toEqual(foreign.map(() => undefined));
    expect(model.line([0, 255, 4])).toBeDefined();
  });
});

describe('SGIs', () => {
  it('tells the source, lowest CPU first, and stays pending until all are told', () => {
    const gic = new BenchGic(4).open();
    gic.setD(0xf00, 0x0001_0003, 2);
    gic.setD(0xf00, 0x0001_0003, 1);
    expect([gic.d(0xf20), gic.c(HPPIR)]).toEqual([0x0600_0000, 0x403]);
    expect(gic.c(IAR)).toBe(0x403);
    expect([gic.d(0x200), gic.d(0x300), gic.c(IAR)]).toEqual([0x8, 0x8, SPURIOUS]);
    gic.setC(EOIR, 0x403);
    expect(gic.irq[0]).toBe(true);
    expect(gic.c(IAR)).toBe(0x803);
    gic.setC(EOIR, 0x803);
    expect([gic.d(0x200), gic.d(0x300), gic.irq[0]]).toEqual([0, 0, false]);
  });

  it('goes to the list, to all others, or to oneself', () => {
    const gic = new BenchGic(4).open();
    gic.setD(0xf00, 0x000a_0000, 0);
    expect(gic.irq).toEqual([false, true, false, true]);
    gic.setD(0xf00, 0x0100_0001, 1);
    expect([0, 1, 2, 3].map((cpu) => gic.d(0x200, cpu))).toEqual([2, 1, 2, 3]);
    gic.setD(0xf00, 0x0200_0002, 2);
    expect([0, 1, 2, 3].map((cpu) => gic.d(0x200, cpu))).toEqual([2, 1, 6, 3]);
    gic.setD(0xf00, 0x03ff_0004, 2);
    expect([0, 1, 2, 3].map((cpu) => gic.d(0x200, cpu))).toEqual([2, 1, 6, 3]);
    expect(gic.log).toEqual(['GICD_SGIR 0x%x: reserved TargetListFilter']);
  });

  it('is set and cleared by source through SPENDSGIR and CPENDSGIR, and by nothing else', () => {
    const gic = new BenchGic(4).open();
    gic.setD(0xf25, 0b1010, 0, 1);
    expect([gic.d(0xf14), gic.d(0x200)]).toEqual([0xa00, 0x20]);
    gic.setD(0x280, 0xffff_ffff);
    gic.setD(0x200, 0xffff);
    expect(gic.d(0x200)).toBe(0x20);
    gic.setD(0xf14, 0x200);
    expect([gic.d(0xf25, 0, 1), gic.c(IAR)]).toEqual([0x8, 0xc05]);
    gic.setD(0xf25, 0b1, 0, 1);
    gic.setD(0xf15, 0xff, 0, 1);
    expect(gic.d(0x200)).toBe(0);
  });
});

describe('levels and edges', () => {
  it('is pending as long as a level is asserted, and again after its end', () => {
    const gic = new BenchGic(1).open();
    gic.enable(36);
    const line = gic.model.line([0, 4, 4]);
    line?.set(true);
    expect([gic.irq[0], gic.d(0x204)]).toEqual([true, 0x10]);
    gic.setD(0x284, 0x10);
    expect(gic.d(0x204)).toBe(0x10);
    expect([gic.c(IAR), gic.d(0x204), gic.d(0x304), gic.irq[0]]).toEqual([36, 0x10, 0x10, false]);
    gic.setC(EOIR, 36);
    expect([gic.d(0x304), gic.irq[0]]).toEqual([0, true]);
    line?.set(false);
    expect([gic.d(0x204), gic.irq[0], gic.c(IAR)]).toEqual([0, false, SPURIOUS]);
  });

  it('remembers a write of ISPENDR on a level input until it is acknowledged or cleared', () => {
    const gic = new BenchGic(1).open();
    gic.enable(36);
    gic.setD(0x204, 0x10);
    expect([gic.d(0x204), gic.c(IAR), gic.d(0x204)]).toEqual([0x10, 36, 0]);
    gic.setD(0x204, 0x10);
    gic.setD(0x284, 0x10);
    expect(gic.d(0x204)).toBe(0);
  });

  it('takes one edge once, and another while the first is active', () => {
    const gic = new BenchGic(1).open();
    gic.enable(80, { edge: true });
    gic.model.sink.setPending(80);
    gic.model.sink.setPending(80);
    expect([gic.c(IAR), gic.d(0x208), gic.irq[0]]).toEqual([80, 0, false]);
    gic.model.sink.setPending(80);
    expect([gic.d(0x208), gic.c(IAR)]).toEqual([0x1_0000, SPURIOUS]);
    gic.setC(EOIR, 80);
    expect([gic.irq[0], gic.c(IAR)]).toEqual([true, 80]);
    gic.setC(EOIR, 80);
    expect(gic.c(IAR)).toBe(SPURIOUS);
  });

  it('latches the rising edge of a wire, and ICPENDR clears it while the wire is high', () => {
    const gic = new BenchGic(1).open();
    gic.enable(40, { edge: true });
    const line = gic.model.line([0, 8, 1]);
    line?.set(true);
    expect(gic.irq[0]).toBe(true);
    gic.setD(0x284, 0x100);
    expect(gic.irq[0]).toBe(false);
    line?.set(false);
    expect(gic.irq[0]).toBe(false);
    line?.set(true);
    expect(gic.irq[0]).toBe(true);
  });

  it('keeps nothing of an edge on a level-sensitive input, nor of one that is no SPI', () => {
    const gic = new BenchGic(1).open();
    gic.enable(80);
    for (const intid of [80, 27, 3, 288, 1023, -1]) gic.model.sink.setPending(intid);
    expect([0x200, 0x204, 0x208].map((offset) => gic.d(offset))).toEqual([0, 0, 0]);
  });

  it('joins wires to one input', () => {
    const gic = new BenchGic(1).open();
    gic.enable(36);
    const [a, b] = [gic.model.line([0, 4, 4]), gic.model.line([0, 4, 4])];
    a?.set(true);
    b?.set(true);
    a?.set(false);
    expect(gic.irq[0]).toBe(true);
    b?.set(false);
    expect(gic.irq[0]).toBe(false);
  });
});

describe('forwarding', () => {
  it('needs the interrupt, its group in both units, and its priority', () => {
    const gic = new BenchGic(1).open();
    gic.enable(40, { edge: true });
    gic.model.sink.setPending(40);
    expect(gic.irq[0]).toBe(true);
    const gates: readonly (readonly [() => void, () => void])[] = [
      [() => gic.setD(0x184, 0x100), () => gic.setD(0x104, 0x100)],
      [() => gic.setD(0x000, 0), () => gic.setD(0x000, 1)],
      [() => gic.setC(CTLR, 0), () => gic.setC(CTLR, 1)],
      [() => gic.setC(PMR, 0xa0), () => gic.setC(PMR, 0xa1)],
      [() => gic.setD(0x428, 0xf0, 0, 1), () => gic.setD(0x428, 0x10, 0, 1)],
    ];
    for (const [close, open] of gates) {
      close();
      expect([gic.irq[0], gic.c(IAR)]).toEqual([false, SPURIOUS]);
      open();
      expect(gic.irq[0]).toBe(true);
    }
  });

  it('signals an SPI to all its targets, and the first to acknowledge has it', () => {
    const gic = new BenchGic(3).open();
    gic.enable(50, { edge: true, targets: 0b110 });
    gic.model.sink.setPending(50);
    expect(gic.irq).toEqual([false, true, true]);
    expect([gic.c(IAR, 0), gic.c(IAR, 2), gic.c(IAR, 1)]).toEqual([SPURIOUS, 50, SPURIOUS]);
    expect(gic.irq).toEqual([false, false, false]);
  });

  it('follows a change of targets, also of one that is pending', () => {
    const gic = new BenchGic(2).open();
    gic.enable(50, { edge: true });
    gic.model.sink.setPending(50);
    gic.setD(0x832, 0b10, 0, 1);
    expect(gic.irq).toEqual([false, true]);
    gic.setD(0x832, 0, 0, 1);
    expect(gic.irq).toEqual([false, false]);
  });

  it('takes the highest priority first, and of equals the lowest INTID', () => {
    const gic = new BenchGic(1).open();
    const waiting = { 100: 0x40, 33: 0xa0, 34: 0x80, 90: 0x40 };
    for (const [intid, priority] of Object.entries(waiting)) {
      gic.enable(Number(intid), { priority, edge: true });
      gic.model.sink.setPending(Number(intid));
    }
    const served = [90, 100, 34, 33].map(() => {
      const intid = gic.c(IAR);
      gic.setC(EOIR, intid);
      return intid;
    });
    expect(served).toEqual([90, 100, 34, 33]);
  });
});

describe('priorities', () => {
  it('preempts by group priority, and returns to what it interrupted', () => {
    const gic = new BenchGic(1).open();
    gic.setC(BPR, 3); // group priority is bits [7:4]
    gic.enable(40, { priority: 0x86, edge: true });
    gic.enable(41, { priority: 0x81, edge: true });
    gic.enable(42, { priority: 0x70, edge: true });
    gic.model.sink.setPending(40);
    // Preemption level 0x80 >> 1 = 64: bit 0 of GICC_APR2.
    expect([gic.c(IAR), gic.c(RPR), gic.c(0x0d8)]).toEqual([40, 0x80, 1]);
    gic.model.sink.setPending(41);
    expect([gic.irq[0], gic.c(IAR), gic.c(HPPIR)]).toEqual([false, SPURIOUS, 41]);
    gic.model.sink.setPending(42);
    expect(gic.irq[0]).toBe(true);
    // Level 0x70 >> 1 = 56: bit 24 of GICC_APR1.
    expect([gic.c(IAR), gic.c(RPR), gic.c(0x0d4), gic.c(0x0d8)]).toEqual([42, 0x70, 0x100_0000, 1]);
    gic.setC(EOIR, 42);
    expect([gic.c(RPR), gic.c(0x0d4), gic.c(0x0d8), gic.c(IAR)]).toEqual([0x80, 0, 1, SPURIOUS]);
    gic.setC(EOIR, 40);
    expect([gic.c(IAR), gic.c(RPR)]).toEqual([41, 0x80]);
  });

  it('is idle at 0xff, and an end too many is told', () => {
    const gic = new BenchGic(1).open();
    expect(gic.c(RPR)).toBe(0xff);
    gic.enable(40, { priority: 0x20, edge: true });
    gic.model.sink.setPending(40);
    gic.c(IAR);
    expect([gic.c(RPR), gic.c(0x0d0)]).toEqual([0x20, 0x1_0000]); // level 0x20 >> 1 = 16
    gic.setC(EOIR, 1023);
    expect(gic.c(RPR)).toBe(0x20);
    gic.setC(EOIR, 40);
    expect([gic.c(RPR), gic.c(0x0d0)]).toEqual([0xff, 0]);
    gic.setC(EOIR, 40);
    expect(gic.log).toEqual(['GICC_EOIR %d with nothing active']);
  });

  it('splits the end in two with EOImode', () => {
    const gic = new BenchGic(1).open();
    gic.setC(CTLR, 0x201);
    gic.enable(36);
    gic.model.line([0, 4, 4])?.set(true);
    gic.c(IAR);
    gic.setC(EOIR, 36);
    expect([gic.c(RPR), gic.d(0x304), gic.irq[0]]).toEqual([0xff, 0x10, false]);
    gic.setC(DIR, 36);
    expect([gic.d(0x304), gic.irq[0]]).toEqual([0, true]);
    gic.setC(CTLR, 0x001);
    gic.c(IAR);
    gic.setC(DIR, 36);
    expect([gic.d(0x304), gic.log]).toEqual([0x10, ['GICC_DIR %d while EOImode is 0']]);
  });

  it('takes active state and active priorities from software', () => {
    const gic = new BenchGic(1).open();
    gic.enable(36);
    gic.model.line([0, 4, 4])?.set(true);
    gic.setD(0x304, 0x10);
    expect(gic.irq[0]).toBe(false);
    gic.setD(0x384, 0x10);
    expect(gic.irq[0]).toBe(true);
    gic.setC(0x0d8, 0x1); // level 64 of 128: priority 0x80
    expect([gic.c(RPR), gic.irq[0]]).toEqual([0x80, false]);
  });
});

describe('groups', () => {
  const withGroup1 = (ctlr: number): BenchGic => {
    const gic = new BenchGic(1).open();
    gic.setD(0x000, 3);
    gic.setC(CTLR, ctlr);
    gic.enable(40, { priority: 0x40, edge: true });
    gic.setD(0x084, 0x100);
    gic.model.sink.setPending(40);
    return gic;
  };

  it('needs EnableGrp1 for a Group 1 interrupt', () => {
    expect(withGroup1(0b01).irq[0]).toBe(false);
    expect(withGroup1(0b10).irq[0]).toBe(true);
  });

  it('shows 1022 in IAR and HPPIR without AckCtl, and the interrupt in the aliases', () => {
    const gic = withGroup1(0b011);
    expect([gic.c(IAR), gic.c(HPPIR), gic.c(AHPPIR)]).toEqual([1022, 1022, 40]);
    // Preemption level 0x40 >> 1 = 32: bit 0 of GICC_NSAPR1.
    expect([gic.c(AIAR), gic.c(0x0e0), gic.c(0x0e4), gic.c(0x0d4), gic.c(RPR)]).toEqual([40, 0, 1, 0, 0x40]);
    gic.setC(AEOIR, 40);
    expect([gic.c(RPR), gic.d(0x304)]).toEqual([0xff, 0]);
  });

  it('acknowledges Group 1 in IAR with AckCtl', () => {
    const gic = withGroup1(0b111);
    expect([gic.c(HPPIR), gic.c(IAR), gic.c(RPR)]).toEqual([40, 40, 0x40]);
    gic.setC(EOIR, 40);
    expect(gic.c(RPR)).toBe(0xff);
  });

  it('hides Group 0 from the aliases', () => {
    const gic = withGroup1(0b011);
    gic.setD(0x084, 0);
    expect([gic.c(AIAR), gic.c(AHPPIR), gic.c(IAR)]).toEqual([SPURIOUS, SPURIOUS, 40]);
    gic.setC(AEOIR, 40);
    expect([gic.c(RPR), gic.log]).toEqual([0x40, ['GICC_AEOIR %d: not a Group 1 interrupt']]);
  });

  it('has a binary point for each group, or one for both with CBPR', () => {
    const [own, joint] = [withGroup1(0b0_0111), withGroup1(0b1_0111)];
    for (const gic of [own, joint]) {
      gic.setD(0x428, 0x4e, 0, 1);
      gic.setC(BPR, 1); // group priority bits [7:2]
      gic.setC(ABPR, 4); // for Group 1 bits [7:4]
      gic.c(IAR);
    }
    expect([own.c(RPR), joint.c(RPR)]).toEqual([0x40, 0x4c]);
  });

  it('keeps Group 0 off the IRQ output with FIQEn', () => {
    const gic = new BenchGic(1).open();
    gic.enable(40, { edge: true });
    gic.setC(CTLR, 0b1001);
    gic.model.sink.setPending(40);
    expect([gic.irq[0], gic.c(IAR)]).toEqual([false, 40]);
  });
});

describe('state', () => {
  it('keeps what is pending, active, latched and wired', () => {
    const gic = new BenchGic(2).open();
    gic.enable(36);
    gic.enable(80, { edge: true });
    gic.enable(81, { edge: true, priority: 0x40 });
    gic.model.line([0, 4, 4])?.set(true);
    gic.model.sink.setPending(81);
    gic.c(IAR);
    gic.model.sink.setPending(80);
    gic.setD(0xf00, 0x0002_0005, 0);
    const saved = structuredClone(gic.model.save());

    const other = new BenchGic(2);
    const line = other.model.line([0, 4, 4]);
    other.model.restore(saved);
    expect(other.model.save()).toEqual(saved);
    expect(other.irq).toEqual([false, true]);
    expect([other.c(RPR), other.d(0x308), other.c(IAR, 1)]).toEqual([0x40, 0x2_0000, 5]);
    other.setC(EOIR, 81);
    expect([other.irq[0], other.c(IAR)]).toEqual([true, 36]);
    line?.set(false);
    other.setC(EOIR, 36);
    expect([other.c(IAR), other.d(0x204)]).toEqual([80, 0]);
  });

  it('goes back to a former state, outputs included', () => {
    const gic = new BenchGic(1).open();
    gic.enable(80, { edge: true });
    const quiet = gic.model.save();
    gic.model.sink.setPending(80);
    expect(gic.irq[0]).toBe(true);
    gic.model.restore(quiet);
    expect(gic.irq[0]).toBe(false);
  });

  it('refuses another version or another size with EINVAL', () => {
    const { model } = new BenchGic(2);
    const states = [
      { ...model.save(), version: 2 },
      { version: 1 },
      new BenchGic(1).model.save(),
      new BenchGic(2, { nrIrqs: 64 }).model.save(),
    ];
    for (const state of states) expect(codeOf(() => model.restore(state))).toBe('EINVAL');
  });
});

function codeOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return LinuxError.is(error) ? error.code : String(error);
  }
}
