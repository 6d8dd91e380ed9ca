// SPDX-License-Identifier: Apache-2.0
// Faults, from the registers that record them to listeners and the framework.

import { describeFault } from '@irqkit/smmu-v2';
import type { SmmuFault } from '@irqkit/smmu-v2';
import { CB, GR0 } from './fake-smmu.js';
import { Rig } from './rig.js';

const up = () => {
  const rig = new Rig({ globalInterrupts: 2, nrInterrupts: 10 });
  const { driver, ops } = rig.start();
  const seen: SmmuFault[] = [];
  const stop = driver.onFault((fault) => seen.push(fault));
  return { rig, ops, seen, stop };
};
// TF; a write at level 3 by user code.
const WRITE = { fsr: 0x402, fsynr0: 0x13, far: 0x12_3456_7000n, streamId: 8 };

test('a context fault is decoded, reported and cleared', () => {
  const { rig, ops, seen } = up();
  const device = rig.device(ops, 'device', [8, 7]);
  ops.allocDomain('dma').attach(device);
  rig.smmu.contextFault(0, { ...WRITE, streamId: 0xb });
  expect(seen).toEqual([
    {
      kinds: ['TF'],
      bank: 0,
      streamId: 0xb,
      device,
      address: 0x12_3456_7000,
      access: 'write',
      privileged: false,
      instruction: false,
      level: 3,
      multiple: false,
    },
  ]);
  const text = 'FSR.TF StreamID=0xb (device): write of 0x1234567000, context bank 0, level 3';
  expect(describeFault(seen[0])).toBe(text);
  expect(rig.faults).toEqual([
    { iommu: rig.node, device, id: 0xb, address: 0x12_3456_7000, write: true, event: 'FSR.TF', text },
  ]);
  expect(rig.warnings).toEqual([`/iommu@2b400000: ${text}`]);
  expect(rig.smmu.bank(0, CB.FSR)).toBe(0);
});

test('several kinds, and others after them', () => {
  const { rig, ops, seen } = up();
  ops.allocDomain('dma');
  // PF and EF, MULTI; a privileged read of an instruction.
  rig.smmu.contextFault(0, { fsr: 0x8000_0018, fsynr0: 0x62, far: 0n, streamId: 3 });
  expect(seen[0]).toMatchObject({
    kinds: ['PF', 'EF'],
    multiple: true,
    access: 'read',
    privileged: true,
    instruction: true,
  });
  expect(rig.warnings).toEqual([
    '/iommu@2b400000: FSR.PF+EF StreamID=0x3: read of 0x0, context bank 0, level 2, others after it',
  ]);
});

test('a stream that nothing matches is a global fault', () => {
  const { rig, seen } = up();
  // USF; a write.
  rig.smmu.globalFault({ gfsr: 2, gfsynr0: 2, gfar: 0x1000n, streamId: 0x77 });
  expect(rig.faults).toMatchObject([{ device: undefined, id: 0x77, address: 0x1000, write: true, event: 'GFSR.USF' }]);
  expect(seen[0]).toMatchObject({ bank: undefined, level: undefined });
  expect(rig.warnings).toEqual(['/iommu@2b400000: GFSR.USF StreamID=0x77: write of 0x1000']);
  expect(rig.smmu.get(GR0.GFSR)).toBe(0);
});

test('an address beyond what an Iova can be is in the text alone', () => {
  const { rig, ops } = up();
  ops.allocDomain('dma');
  rig.smmu.contextFault(0, { ...WRITE, far: 0xf_f000_0000_0000n + 0x10_0000_0000_0000n });
  expect(rig.faults[0].address).toBeUndefined();
  expect(rig.faults[0].text).toMatch('write of 0x1ff00000000000');
});

test('each bank has its interrupt, and only while a domain has the bank', () => {
  const { rig, ops, seen, stop } = up();
  expect(rig.nrIrqs).toBe(2);
  const [, second] = [ops.allocDomain('dma'), ops.allocDomain('dma')];
  expect(rig.nrIrqs).toBe(4);
  rig.smmu.contextFault(1, WRITE);
  expect(seen).toMatchObject([{ bank: 1 }]);
  // Nothing is pending: the interrupt is another's.
  rig.raise(3);
  rig.raise(0);
  expect(seen).toHaveLength(1);
  second.free();
  expect([rig.nrIrqs, rig.raise(3)]).toEqual([3, false]);
  stop();
  rig.smmu.contextFault(0, WRITE);
  expect([seen.length, rig.faults.length]).toEqual([1, 2]);
});

test('one wire for all of them: each is asked, and it goes with the last', () => {
  const rig = new Rig({ oneWire: true });
  const { driver, ops } = rig.start();
  const seen: SmmuFault[] = [];
  driver.onFault((fault) => seen.push(fault));
  const domains = [ops.allocDomain('dma'), ops.allocDomain('dma')];
  expect(rig.nrIrqs).toBe(1);
  rig.smmu.onFault = () => void rig.raise(0);
  rig.smmu.contextFault(1, WRITE);
  rig.smmu.globalFault({ gfsr: 2, gfsynr0: 0, gfar: 0n, streamId: 1 });
  expect(seen).toMatchObject([{ bank: 1 }, { bank: undefined, access: 'read' }]);
  for (const domain of domains) domain.free();
  expect(rig.nrIrqs).toBe(1);
  rig.devres.releaseAll();
  expect(rig.nrIrqs).toBe(0);
});
