// SPDX-License-Identifier: Apache-2.0
// LPIs: configuration and pending tables in memory, and what an ITS does to them. Arm IHI 0069 section 5.1.

import { isDeepStrictEqual } from 'node:util';
import { LinuxError } from '@irqkit/core';
import { regs } from '@irqkit/gic-v3';
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { Machine } from './support/machine.js';
import {
  LPI_ENABLED,
  PROPBASE,
  acknowledge,
  configureLpi,
  enableLpis,
  end,
  pendingTable,
  upAndRunning,
  withLpis,
} from './support/linux-setup.js';

const SPURIOUS = 1023;

describe('GICR_PROPBASER and GICR_PENDBASER', () => {
  it('keep what Linux writes, and nothing of what is reserved; PTZ reads as 0', () => {
    const machine = new Machine();
    machine.write64(machine.rd(0) + 0x70, 0x425b_078f, 0);
    machine.write64(machine.rd(0) + 0x78, 0x425c_0780, 0x4000_0000);
    expect([0x70, 0x74, 0x78, 0x7c].map((offset) => machine.read(machine.rd(0) + offset))).toEqual([
      0x425b_078f, 0, 0x425c_0780, 0,
    ]);
    machine.write64(machine.rd(0) + 0x70, 0xffff_ffff, 0xffff_ffff);
    machine.write64(machine.rd(0) + 0x78, 0xffff_ffff, 0xffff_ffff);
    expect([0x70, 0x74, 0x78, 0x7c].map((offset) => machine.read(machine.rd(0) + offset))).toEqual([
      0xffff_ff9f, 0x070f_ffff, 0xffff_0f80, 0x070f_ffff,
    ]);
  });

  it('CHOICE: are read-only while LPIs are enabled', () => {
    const machine = withLpis();
    machine.write(machine.rd(0) + 0x70, 0);
    machine.write(machine.rd(0) + 0x78, 0);
    expect([machine.read(machine.rd(0) + 0x70), machine.read(machine.rd(0) + 0x78)]).toEqual([
      PROPBASE + 0x78f,
      pendingTable(0) + 0x780,
    ]);
    expect([machine.messages.length, machine.read(machine.rd(0))]).toEqual([2, 3]);
  });

  it('are RAZ/WI, as GICR_CTLR.EnableLPIs is, without GICD_TYPER.LPIS', () => {
    const machine = upAndRunning({ silicon: { GICD_TYPER: 0x0378_0007 } });
    enableLpis(machine, 0);
    expect([0x8, 0x70, 0x78, 0x0].map((offset) => machine.read(machine.rd(0) + offset))).toEqual([
      0x0100_0000, 0, 0, 2,
    ]);
  });
});

describe('an LPI', () => {
  it('is forwarded while its configuration enables it, once for each time it became pending', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.model.lpis.setPending(1, 8192);
    machine.model.lpis.setPending(1, 8192);
    expect([machine.cpus.irqAsserted(0), machine.cpus.irqAsserted(1)]).toEqual([false, true]);
    expect(acknowledge(machine, 1)).toBe(8192);
    expect(acknowledge(machine, 1)).toBe(SPURIOUS);
    machine.model.lpis.setPending(1, 8192);
    end(machine, 1, 8192);
    expect(acknowledge(machine, 1)).toBe(8192);
  });

  it('keeps its cached configuration until that is invalidated', () => {
    const machine = withLpis();
    const { lpis } = machine.model;
    lpis.setPending(0, 8200);
    configureLpi(machine, 8200, LPI_ENABLED);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    lpis.invalidate(0, 8200);
    expect(machine.cpus.irqAsserted(0)).toBe(true);
    configureLpi(machine, 8200, 0xa0);
    expect(machine.cpus.irqAsserted(0)).toBe(true);
    lpis.invalidateAll(1);
    expect([machine.cpus.irqAsserted(0), acknowledge(machine, 0)]).toEqual([false, SPURIOUS]);
    configureLpi(machine, 8200, LPI_ENABLED);
    lpis.invalidateAll(0);
    expect(acknowledge(machine, 0)).toBe(8200);
  });

  it('reads each configuration byte once', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.memory.loads = 0;
    for (let i = 0; i < 10; i++) {
      machine.model.lpis.setPending(0, 8192);
      end(machine, 0, acknowledge(machine, 0));
    }
    expect(machine.memory.loads).toBe(1);
  });

  it('has its priority from the table, and goes after SPIs of the same', () => {
    const machine = withLpis();
    const { lpis } = machine.model;
    configureLpi(machine, 8192, 0xa1);
    configureLpi(machine, 8193, 0x81);
    configureLpi(machine, 65535, 0x81);
    machine.write(machine.sgi(0) + 0x100, 1);
    for (const intid of [65535, 8192, 8193]) lpis.setPending(0, intid);
    machine.msr(0, regs.ICC_SGI1R_EL1, 1);
    const taken: number[] = [];
    for (let intid = acknowledge(machine, 0); intid !== SPURIOUS; intid = acknowledge(machine, 0)) {
      taken.push(intid);
      end(machine, 0, intid);
    }
    expect(taken).toEqual([8193, 65535, 0, 8192]);
  });

  it('has no active state: its end only drops the priority', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.model.lpis.setPending(0, 8192);
    expect(acknowledge(machine, 0)).toBe(8192);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xa0);
    end(machine, 0, 8192);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xff);
  });

  it('is of Group 1: without ICC_IGRPEN1_EL1 or GICD_CTLR.EnableGrp1 it waits', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.msr(0, regs.ICC_IGRPEN1_EL1, 0);
    machine.model.lpis.setPending(0, 8192);
    expect(machine.cpus.irqAsserted(0)).toBe(false);
    machine.msr(0, regs.ICC_IGRPEN1_EL1, 1);
    expect(machine.cpus.irqAsserted(0)).toBe(true);
  });

  it('none is taken beyond GICR_PROPBASER.IDbits, below 8192, or by nobody', () => {
    const machine = upAndRunning();
    machine.write64(machine.rd(0) + 0x70, PROPBASE + 13, 0);
    machine.write64(machine.rd(0) + 0x78, pendingTable(0), 0);
    expect(machine.model.lpis.idBits).toBe(16);
    machine.write(machine.rd(0), 1);
    expect(machine.model.lpis.idBits).toBe(14);
    for (let intid = 8188; intid < 8192; intid++) configureLpi(machine, intid, LPI_ENABLED);
    for (const intid of [16383, 16384]) configureLpi(machine, intid, LPI_ENABLED);
    const { lpis } = machine.model;
    for (const intid of [0, 8191, 16384, 65536, -1, NaN, 2 ** 31]) lpis.setPending(0, intid);
    for (const target of [-1, 1, 2]) lpis.setPending(target, 16383);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
    lpis.setPending(0, 16383);
    expect(acknowledge(machine, 0)).toBe(16383);
  });

  it('cannot be, with GICR_PROPBASER.IDbits too small for any', () => {
    const machine = upAndRunning();
    machine.write64(machine.rd(0) + 0x70, PROPBASE + 12, 0);
    machine.write(machine.rd(0), 1);
    machine.model.lpis.setPending(0, 8192);
    machine.model.lpis.invalidateAll(0);
    machine.model.savePendingTables();
    machine.model.restore(machine.model.save());
    machine.write(machine.rd(0), 0);
    expect([machine.cpus.irqAsserted(0), machine.read(machine.rd(0)), machine.messages]).toEqual([false, 2, []]);
  });
});

describe('the pending table', () => {
  it('is read when LPIs are enabled, from INTID 8192 on', () => {
    const machine = upAndRunning();
    for (const intid of [8192, 8201, 65535]) configureLpi(machine, intid, LPI_ENABLED);
    machine.memory.setByte(pendingTable(0) + 0, 0xff);
    machine.memory.setByte(pendingTable(0) + 8201 / 8 - 1 / 8, 0b10);
    machine.memory.setByte(pendingTable(0) + 65528 / 8, 0x80);
    enableLpis(machine, 0);
    expect(acknowledge(machine, 0)).toBe(8201);
    end(machine, 0, 8201);
    expect(acknowledge(machine, 0)).toBe(65535);
  });

  it('is not read where software says that it is zero', () => {
    const machine = upAndRunning();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.memory.setByte(pendingTable(0) + 1024, 1);
    machine.write64(machine.rd(0) + 0x70, PROPBASE + 15, 0);
    machine.write64(machine.rd(0) + 0x78, pendingTable(0), 0x4000_0000);
    machine.write(machine.rd(0), 1);
    expect(machine.cpus.irqAsserted(0)).toBe(false);
    machine.write(machine.rd(0), 0);
    expect(machine.memory.byte(pendingTable(0) + 1024)).toBe(0);
  });

  it('CHOICE: is written when LPIs are disabled, and by savePendingTables', () => {
    const machine = withLpis();
    const { lpis } = machine.model;
    configureLpi(machine, 8199, LPI_ENABLED);
    machine.memory.setByte(pendingTable(0) + 1023, 0x5a);
    lpis.setPending(0, 8192);
    lpis.setPending(0, 8199);
    lpis.setPending(1, 8208);
    expect(machine.memory.byte(pendingTable(0) + 1024)).toBe(0);
    machine.model.savePendingTables();
    expect([1023, 1024, 1026].map((i) => machine.memory.byte(pendingTable(0) + i))).toEqual([0x5a, 0x81, 0]);
    expect(machine.memory.byte(pendingTable(1) + 1026)).toBe(1);
    lpis.clearPending(0, 8192);
    machine.write(machine.rd(0), 0);
    expect(machine.memory.byte(pendingTable(0) + 1024)).toBe(0x80);
    lpis.setPending(0, 8193);
    machine.write(machine.rd(0), 1);
    expect(acknowledge(machine, 0)).toBe(8199);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
  });

  it('stays enabled without GICR_CTLR.CES', () => {
    const machine = withLpis({ silicon: { GICR_CTLR: 0 } });
    machine.write(machine.rd(0), 0);
    expect(machine.read(machine.rd(0))).toBe(1);
  });

  it('outside memory reads as zero, as disabled does a configuration there, and both are told', () => {
    const machine = upAndRunning();
    machine.write64(machine.rd(0) + 0x70, 0xffff_f00f, 0xf_ffff);
    machine.write64(machine.rd(0) + 0x78, 0xffff_0000, 0xf_ffff);
    machine.write(machine.rd(0), 1);
    machine.model.lpis.setPending(0, 8192);
    machine.model.savePendingTables();
    expect([machine.cpus.irqAsserted(0), machine.messages.length]).toEqual([false, 3]);
  });
});

describe('what an ITS asks for', () => {
  it('a target is a Processor_Number, or RD_base >> 16 with PTA', () => {
    const { lpis } = new Machine().model;
    expect([0, 1, 2, -1].map((rdbase) => lpis.target(rdbase, false))).toEqual([0, 1, -1, -1]);
    expect([0x80a, 0x80c, 0x80b, 0].map((rdbase) => lpis.target(rdbase, true))).toEqual([0, 1, -1, -1]);
  });

  it('moves what is pending, and only that', () => {
    const machine = withLpis();
    const { lpis } = machine.model;
    for (const intid of [8192, 8193, 9000]) configureLpi(machine, intid, LPI_ENABLED);
    lpis.setPending(0, 8192);
    lpis.movePending(0, 1, 8192);
    lpis.movePending(0, 1, 8193);
    lpis.movePending(-1, 1, 8193);
    expect([acknowledge(machine, 0), acknowledge(machine, 1)]).toEqual([SPURIOUS, 8192]);
    lpis.setPending(0, 8193);
    lpis.setPending(0, 9000);
    lpis.moveAllPending(0, 1);
    end(machine, 1, 8192);
    expect([acknowledge(machine, 0), acknowledge(machine, 1)]).toEqual([SPURIOUS, 8193]);
    end(machine, 1, 8193);
    expect(acknowledge(machine, 1)).toBe(9000);
  });

  it('clears what is pending', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.model.lpis.setPending(0, 8192);
    machine.model.lpis.clearPending(0, 8192);
    expect(machine.cpus.irqAsserted(0)).toBe(false);
  });
});

describe('registers in place of an ITS', () => {
  const direct = { silicon: { GICR_TYPER: 0x0100_0009 } };

  it('GICR_SETLPIR, CLRLPIR, INVLPIR and INVALLR work where GICR_TYPER.DirectLPI is 1', () => {
    const machine = withLpis(direct);
    machine.write64(machine.rd(1) + 0x40, 8192, 0);
    configureLpi(machine, 8192, LPI_ENABLED);
    expect(machine.cpus.irqAsserted(1)).toBe(false);
    machine.write64(machine.rd(1) + 0xa0, 8192, 0);
    expect(machine.cpus.irqAsserted(1)).toBe(true);
    machine.write(machine.rd(1) + 0x48, 8192);
    expect(machine.cpus.irqAsserted(1)).toBe(false);
    machine.write(machine.rd(1) + 0x40, 8193);
    configureLpi(machine, 8193, LPI_ENABLED);
    machine.write(machine.rd(1) + 0xb0, 0);
    expect([machine.read(machine.rd(1) + 0xc0), acknowledge(machine, 1)]).toEqual([0, 8193]);
  });

  it('and only there', () => {
    const machine = withLpis();
    configureLpi(machine, 8192, LPI_ENABLED);
    machine.write(machine.rd(0) + 0x40, 8192);
    expect(acknowledge(machine, 0)).toBe(SPURIOUS);
  });
});

describe('against a Map', () => {
  const intid = fc.integer({ min: 8192, max: 8192 + 70 }).map((n) => (n % 3 === 0 ? 8192 + (n - 8192) * 100 : n));
  const cpu = fc.integer({ min: 0, max: 1 });
  const byte = fc.constantFrom(0xa1, 0xa0, 0x41, 0x45, 0xf9, 0x01);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), cpu, intid }),
    fc.record({ kind: fc.constant('clear' as const), cpu, intid }),
    fc.record({ kind: fc.constant('configure' as const), intid, byte }),
    fc.record({ kind: fc.constant('move' as const), cpu, intid }),
    fc.record({ kind: fc.constant('moveAll' as const), cpu }),
    fc.record({ kind: fc.constant('acknowledge' as const), cpu }),
    fc.record({ kind: fc.constant('drop' as const) }),
    fc.record({ kind: fc.constant('disable' as const), cpu }),
    fc.record({ kind: fc.constant('restore' as const) }),
  );

  it('the next LPI is always that of the highest priority and the lowest INTID', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const machine = withLpis({ silicon: { GICD_TYPER: 0x036a_0007 } });
        const { lpis } = machine.model;
        const pending = [new Set<number>(), new Set<number>()];
        const configuration = new Map<number, number>();
        const next = (on: number): number => {
          const ready = [...pending[on]].filter((each) => ((configuration.get(each) ?? 0) & 1) === 1);
          // Five bits of priority are implemented.
          const rank = (each: number): number => (configuration.get(each)! & 0xf8) * 2 ** 20 + each;
          // Masked: ICC_PMR_EL1 is 0xf0.
          const first = ready.sort((a, b) => rank(a) - rank(b))[0];
          return first === undefined || (configuration.get(first)! & 0xf8) >= 0xf0 ? SPURIOUS : first;
        };
        for (const each of steps) {
          switch (each.kind) {
            case 'set':
              lpis.setPending(each.cpu, each.intid);
              pending[each.cpu].add(each.intid);
              break;
            case 'clear':
              lpis.clearPending(each.cpu, each.intid);
              pending[each.cpu].delete(each.intid);
              break;
            case 'configure':
              configureLpi(machine, each.intid, each.byte);
              configuration.set(each.intid, each.byte);
              lpis.invalidate(0, each.intid);
              break;
            case 'move':
              lpis.movePending(each.cpu, 1 - each.cpu, each.intid);
              if (pending[each.cpu].delete(each.intid)) pending[1 - each.cpu].add(each.intid);
              break;
            case 'moveAll':
              lpis.moveAllPending(each.cpu, 1 - each.cpu);
              for (const moved of pending[each.cpu]) pending[1 - each.cpu].add(moved);
              pending[each.cpu].clear();
              break;
            case 'acknowledge': {
              const expected = next(each.cpu);
              expect(acknowledge(machine, each.cpu)).toBe(expected);
              pending[each.cpu].delete(expected);
              if (expected !== SPURIOUS) end(machine, each.cpu, expected);
              break;
            }
            case 'drop':
              lpis.invalidateAll(0);
              break;
            case 'disable':
              machine.write(machine.rd(each.cpu), 0);
              expect(machine.cpus.irqAsserted(each.cpu)).toBe(false);
              machine.write(machine.rd(each.cpu), 1);
              break;
            case 'restore':
              machine.model.restore(structuredClone(machine.model.save()));
          }
          for (const on of [0, 1]) expect(machine.mrs(on, regs.ICC_HPPIR1_EL1)).toBe(next(on));
        }
        expect(machine.messages).toEqual([]);
      }),
      { seed, numRuns: runs(150, 5000) },
    );
  });
});

describe('save and restore', () => {
  it('256 pending LPIs come out in order on another machine, whatever its memory holds', () => {
    const machine = withLpis();
    for (let i = 0; i < 256; i++) {
      configureLpi(machine, 8192 + i, LPI_ENABLED);
      machine.model.lpis.setPending(i % 2, 8192 + i);
    }
    const other = new Machine();
    other.model.restore(structuredClone(machine.model.save()));
    for (const cpu of [0, 1])
      for (let i = cpu; i < 256; i += 2) {
        expect(acknowledge(other, cpu)).toBe(8192 + i);
        end(other, cpu, 8192 + i);
      }
    expect(acknowledge(other, 0)).toBe(SPURIOUS);
    expect(other.model.lpis.idBits).toBe(16);
  });

  it('a state of another size is refused, and nothing of it is taken', () => {
    const machine = withLpis();
    const before = machine.model.save();
    const state = machine.model.save();
    const states = [
      { ...state, version: 2 },
      { ...state, lpis: { pending: [], configurations: [] } },
      { ...state, gicrCtlr: new Uint32Array(2) },
      { ...state, interfaces: [] },
      { ...state, inputs: undefined },
      new Machine({ nrCpus: 3 }).model.save(),
    ];
    for (const each of states) {
      expect(() => machine.model.restore(each)).toThrow(LinuxError);
      expect(isDeepStrictEqual(machine.model.save(), before)).toBe(true);
    }
  });
});
