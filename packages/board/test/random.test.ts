// SPDX-License-Identifier: Apache-2.0
import { runs, seed } from '@irqkit-test/env';
import { physAddr } from '@irqkit/core';
import fc from 'fast-check';
import { machine } from './toys/machine.js';
import { RAM_BASE } from './toys/tree.js';

const address = fc.oneof(
  fc.integer({ min: 0xf00, max: 0x4200 }),
  fc.integer({ min: RAM_BASE - 8, max: RAM_BASE + 0x101_0000 }),
  fc.integer({ min: 0, max: 2 ** 52 - 1 }),
);
const size = fc.constantFrom<1 | 2 | 4>(1, 2, 4);
const value = fc.integer({ min: 0, max: 0xffff_ffff });
const cpu = fc.nat(1);
const requester = fc.nat(0x1ff);
const deviceAddress = fc.oneof(address, fc.double(), fc.maxSafeInteger());
const step = fc.oneof(
  fc.record({ op: fc.constant('read' as const), address, size, cpu }),
  fc.record({ op: fc.constant('write' as const), address, value, size, cpu }),
  fc.record({ op: fc.constant('write64' as const), address, value, cpu }),
  fc.record({ op: fc.constant('msi' as const), address: deviceAddress, value, requester, guarded: fc.boolean() }),
  fc.record({ op: fc.constant('dma' as const), address: deviceAddress, count: fc.nat(0x2100), requester }),
  fc.record({ op: fc.constant('map' as const), streamId: fc.integer({ min: 0x40, max: 0x4f }), page: fc.nat(8) }),
);

test('random accesses by processors and devices never throw, and leave the board idle', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { board, dev, guarded, iommu } = machine();
      const { cpus } = board.bus;
      let nested = 0;
      cpus.onIrq((irqCpu) => {
        expect(++nested).toBe(1);
        const intid = board.access.read(physAddr(0x1000), 4, irqCpu);
        expect(intid).not.toBe(1023);
        nested--;
      });
      for (const step of steps) {
        const where =
          step.op === 'msi' || step.op === 'dma' || step.op === 'map' ? physAddr(0) : physAddr(step.address);
        if (step.op === 'read') {
          const seen = board.access.read(where, step.size, step.cpu);
          expect(seen >= 0 && seen < 2 ** (8 * step.size) && Number.isInteger(seen)).toBe(true);
        } else if (step.op === 'write') board.access.write(where, step.value, step.size, step.cpu);
        else if (step.op === 'write64') board.access.write64(where, step.value, step.value, step.cpu);
        else if (step.op === 'map') iommu.map(step.streamId, step.page * 0x1000, RAM_BASE + step.page * 0x10_0000);
        else if (step.op === 'msi')
          (step.guarded ? guarded : dev).port(step.requester).write32(step.address, step.value);
        else {
          const port = guarded.port(step.requester);
          port.store(step.address, new Uint8Array(step.count).fill(1));
          port.load(step.address, new Uint8Array(step.count));
        }
      }
      expect(cpus.current).toBe(0);
    }),
    { seed, numRuns: runs(150, 5000) },
  );
});

test('a guarded device never reaches what was not mapped for it', () => {
  const transfer = fc.record({ address: fc.nat(0xa000), count: fc.integer({ min: 1, max: 0x2100 }), rid: fc.nat(15) });
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(8)), fc.array(transfer, { maxLength: 20 }), (pages, transfers) => {
      const { board, guarded, iommu } = machine();
      for (const page of pages) iommu.map(0x43, page * 0x1000, RAM_BASE + page * 0x2000);
      for (const { address, count, rid } of transfers) {
        const isMapped = (at: number) => rid === 3 && pages.includes(Math.floor(at / 0x1000));
        const all = Array.from({ length: count }, (_, i) => address + i).every(isMapped);
        expect(guarded.port(rid).store(address, new Uint8Array(count).fill(0xff))).toBe(all);
      }
      const allowed = pages.map((page) => RAM_BASE + page * 0x2000);
      for (const page of board.save().ram.pages) expect(allowed).toContain(page);
    }),
    { seed, numRuns: runs(40, 1000) },
  );
});
