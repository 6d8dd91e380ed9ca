// SPDX-License-Identifier: Apache-2.0
// Software may do anything: no access throws, a restored model goes on as the saved one would have, and many processors work.

import { isDeepStrictEqual } from 'node:util';
import { regs } from '@irqkit/gic-v3';
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { GICD, GICR, Machine } from './support/machine.js';
import { LPI_ENABLED, PROPBASE, acknowledge, end, upAndRunning, withLpis } from './support/linux-setup.js';

const SPURIOUS = 1023;
/** Every optional part there is: all SPIs, extended SPIs and PPIs, 1 of N, MBIs, direct LPIs, RSS; INTIDs of 14 bits. */
const EVERYTHING = { GICD_TYPER: 0xfd6b_011f, GICR_TYPER: 0x1100_0029, GICR_CTLR: 6, ICC_CTLR_EL1: 0x4_8f00 };

const sysregs = Object.values(regs).flatMap((each) =>
  typeof each === 'object' && 'sysreg' in each ? [each.sysreg] : [],
);

const value = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 0xffff_ffff, 0x8000_0000, 0xa0a0_a0a0, PROPBASE + 15, 8192, 8193, 36),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const offset = fc.oneof(
  fc.constantFrom(0, 0x14, 0x40, 0x48, 0x70, 0x74, 0x78, 0x7c, 0xa0, 0xb0, 0x80, 0x84, 0x100, 0x104, 0x200, 0x204),
  fc.integer({ min: 0, max: 0x1_0000 - 8 }),
);
const frame = fc.constantFrom(
  GICD,
  GICR,
  GICR + 0x1_0000,
  GICR + 0x2_0000,
  GICR + 0x3_0000,
  GICR + 0x4_0000,
  0xa00_0000,
);
const size = fc.constantFrom(1 as const, 2 as const, 4 as const, 4 as const, 4 as const);
const cpu = fc.integer({ min: 0, max: 1 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('write' as const), frame, offset, size, value }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('write64' as const), frame, offset, value, hi: value }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('read' as const), frame, offset, size }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('msr' as const),
      cpu,
      register: fc.constantFrom(...sysregs),
      value,
      hi: value,
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('mrs' as const), cpu, register: fc.constantFrom(...sysregs) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('lpi' as const), cpu, intid: fc.integer({ min: -1, max: 70_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('wire' as const),
      spi: fc.integer({ min: 0, max: 20 }),
      level: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function machineWithEverything(start: (facts: object) => Machine): Machine {
  return start({
    silicon: EVERYTHING,
    cells: { 'msi-controller': [], 'mbi-ranges': [64, 32], 'mbi-alias': [0, 0xa00_0000] },
  });
}

/** What software could see of a step. */
function perform(machine: Machine, each: Step): number {
  switch (each.op) {
    case 'write':
      machine.write(each.frame + each.offset, each.value, each.size);
      return 0;
    case 'write64':
      machine.write64(each.frame + each.offset, each.value, each.hi);
      return 0;
    case 'read':
      return machine.read(each.frame + each.offset, each.size);
    case 'msr':
      machine.msr(each.cpu, { sysreg: each.register }, each.value, each.hi);
      return 0;
    case 'mrs':
      return machine.mrs(each.cpu, { sysreg: each.register });
    case 'lpi':
      machine.model.lpis.setPending(each.cpu, each.intid);
      return 0;
    case 'wire':
      machine.model.line([0, each.spi, 4])!.set(each.level);
      return 0;
  }
}

const steps = (maxLength: number): fc.Arbitrary<Step[]> => fc.array(step, { maxLength });

test('random accesses never throw, and read values of 32 bits', () => {
  fc.assert(
    fc.property(steps(100), (list) => {
      const machine = machineWithEverything(withLpis);
      for (const each of list) {
        const seen = perform(machine, each);
        expect(Number.isInteger(seen) && seen >= 0 && seen <= 0xffff_ffff).toBe(true);
      }
    }),
    { seed, numRuns: runs(200, 20_000) },
  );
});

test('a restored model goes on as the saved one', () => {
  fc.assert(
    fc.property(steps(60), steps(30), (before, after) => {
      const machine = machineWithEverything(withLpis);
      for (const each of before) perform(machine, each);
      const other = machineWithEverything((facts) => new Machine({ ...facts, memory: machine.memory }));
      const state = structuredClone(machine.model.save());
      other.model.restore(state);
      expect(isDeepStrictEqual(structuredClone(other.model.save()), state)).toBe(true);
      const lines = [0, 1].map((each) => machine.cpus.irqAsserted(each));
      expect([0, 1].map((each) => other.cpus.irqAsserted(each))).toEqual(lines);
      const visible = after.filter(({ op }) => op !== 'wire');
      expect(visible.map((each) => perform(other, each))).toEqual(visible.map((each) => perform(machine, each)));
    }),
    { seed, numRuns: runs(100, 5000) },
  );
});

test('512 processors: each is interrupted by its SGI, its PPI, its SPI and its LPI', () => {
  const mpidr = Array.from({ length: 512 }, (_, i) => (i >>> 7) * 0x1_0000 + ((i >>> 4) & 7) * 0x100 + (i & 15));
  const machine = withLpis({
    mpidr,
    reg: [GICD, 0x1_0000, GICR, 512 * 0x2_0000],
    silicon: { GICD_TYPER: 0x037a_001f },
  });
  for (let i = 0; i < 512; i++) {
    machine.memory.setByte(PROPBASE + i, LPI_ENABLED);
    machine.write(machine.sgi(i) + 0x100, 0x0800_0002);
    machine.write(GICD + 0x100 + ((32 + i) >>> 5) * 4, (1 << (i & 31)) >>> 0);
    machine.write64(GICD + 0x6000 + (32 + i) * 8, mpidr[i], 0);
  }
  for (let i = 0; i < 512; i++) {
    machine.msr(
      511 - i,
      regs.ICC_SGI1R_EL1,
      (0x0100_0000 + ((mpidr[i] >>> 8) % 256) * 0x1_0000 + 2 ** (i & 15)) >>> 0,
      mpidr[i] >>> 16,
    );
    machine.model.privateLine(i, 27)!.set(true);
    machine.model.line([0, i, 4])!.set(true);
    machine.model.lpis.setPending(machine.model.lpis.target(i, false), 8192 + i);
  }
  for (let i = 0; i < 512; i++) {
    const taken: number[] = [];
    for (let intid = acknowledge(machine, i); intid !== SPURIOUS; intid = acknowledge(machine, i)) {
      taken.push(intid);
      machine.msr(i, regs.ICC_EOIR1_EL1, intid);
      if (taken.length === 2) machine.write(machine.sgi(i) + 0x180, 1 << 27);
      if (taken.length === 3) machine.write(GICD + 0x180 + ((32 + i) >>> 5) * 4, (1 << (i & 31)) >>> 0);
    }
    expect(taken).toEqual([1, 27, 32 + i, 8192 + i]);
  }
});

test('an LPI costs no allocation once its configuration is cached', () => {
  const machine = withLpis();
  for (let i = 0; i < 4096; i++) machine.memory.setByte(PROPBASE + i, LPI_ENABLED);
  const { lpis, systemRegisters } = machine.model;
  const round = (): void => {
    for (let i = 0; i < 4096; i++) lpis.setPending(i & 1, 8192 + i);
    for (const each of [0, 1])
      for (let i = 0; i < 2048; i++)
        systemRegisters.write(each, regs.ICC_EOIR1_EL1.sysreg, systemRegisters.read(each, regs.ICC_IAR1_EL1.sysreg), 0);
  };
  for (let i = 0; i < 20; i++) round();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 50; i++) round();
  // 204 800 LPIs: a single object of 16 bytes for each would take 3 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
  expect(acknowledge(machine, 0)).toBe(SPURIOUS);
});

test('an SPI that nobody may take waits for a processor that may', () => {
  const machine = upAndRunning();
  machine.write(GICD + 0x104, 1);
  machine.write64(GICD + 0x6100, 9, 0);
  machine.model.line([0, 0, 4])!.set(true);
  expect([acknowledge(machine, 0), acknowledge(machine, 1)]).toEqual([SPURIOUS, SPURIOUS]);
  machine.write64(GICD + 0x6100, 1, 0);
  expect(acknowledge(machine, 1)).toBe(32);
  end(machine, 1, 32);
});
