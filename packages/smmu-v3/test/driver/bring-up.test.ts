// SPDX-License-Identifier: Apache-2.0
// Probing and letting go of an SMMU. Register values are written out from IHI 0070's bit tables.

import { LinuxError } from '@irqkit/core';
import { caught } from '@irqkit-test/caught';
import { OPCODE } from './fake-smmu.js';
import { DOORBELL, Rig, testDevice } from './rig.js';
import type { RigOptions } from './rig.js';

/** Probes a machine that must not come up; nothing may be left. */
function refusal(options: RigOptions, prepare: (rig: Rig) => void = () => undefined): string {
  const rig = new Rig(options);
  prepare(rig);
  const { message } = caught(() => rig.start());
  expect(rig.memory.live).toEqual([]);
  expect(rig.nrIrqs).toBe(0);
  expect(rig.nrMapped).toBe(0);
  expect(rig.registered).toBeUndefined();
  return message;
}

const writesTo = (rig: Rig, offset: number): readonly bigint[] =>
  rig.smmu.trace.filter((each) => each.op === 'w' && each.offset === offset).map(({ value }) => value);

describe('what the driver cannot use', () => {
  test.each<[string, RigOptions, string]>([
    ['big-endian tables', { idr: { 0: 0xd60_101a } }, 'has no little-endian translation tables (ENXIO)'],
    ['a reserved endianness', { idr: { 0: 0xd20_101a } }, 'has no little-endian translation tables (ENXIO)'],
    ['no stage', { idr: { 0: 0xd40_1018 } }, 'translates nothing (ENXIO)'],
    ['AArch32 tables only', { idr: { 0: 0xd40_1016 } }, 'has no AArch64 translation tables (ENXIO)'],
    ['preset tables', { idr: { 4: 0x4273_0010 } }, 'embedded tables or queues are not supported (ENXIO)'],
    ['preset queues', { idr: { 4: 0x2273_0010 } }, 'embedded tables or queues are not supported (ENXIO)'],
    ['64 commands', { idr: { 4: 0xd3_0010 } }, 'a command queue of 64 entries is not supported (ENXIO)'],
    ['no granule', { idr: { 0x14: 0x4 } }, 'no translation granule (EINVAL)'],
    ['one page of registers', { sizeBytes: 0x1_0000 }, '65536 bytes of registers are too few (EINVAL)'],
  ])('%s', (_title, options, message) => {
    expect(refusal(options)).toBe(`/smmuv3@9050000: ${message}`);
  });

  test('mixed-endian tables and AArch32 ones beside: both are fine; stage 2 has 40 bits then', () => {
    const rig = new Rig({ idr: { 0: 0xd00_101e, 0x14: 0x10 } });
    expect(rig.start().driver.features).toMatchObject({ iasBits: 40, oasBits: 32, granules: [0x1000] });
  });

  test('it waits for its interrupt controller', () => {
    expect(refusal({ wired: 'not yet' })).toMatch(/EPROBE_DEFER/);
  });

  test.each<['CR0' | 'IRQ_CTRL', string]>([
    ['CR0', '/smmuv3@9050000: disabling: 0x0 is not acknowledged (ETIMEDOUT)'],
    ['IRQ_CTRL', '/smmuv3@9050000: disabling interrupts: 0x0 is not acknowledged (ETIMEDOUT)'],
  ])('%s that is not acknowledged: ETIMEDOUT, and the memory is left to it', (register, message) => {
    const rig = new Rig();
    rig.smmu.deaf.add(register);
    rig.smmu.registers.set(0x24, register === 'CR0' ? 1 : 0);
    rig.smmu.registers.set(0x54, register === 'CR0' ? 0 : 1);
    expect(caught(() => rig.start()).message).toBe(message);
    expect(rig.warnings[rig.warnings.length - 1]).toMatch(/ETIMEDOUT\): 2101248 bytes stay allocated$/);
    expect(rig.memory.liveBytes).toBe(2101248);
    expect(rig.nrIrqs).toBe(0);
  });
});

describe('tables and queues', () => {
  test('StreamIDs of 8 bits have a flat table, all aborting', () => {
    const rig = new Rig({ idr: { 4: 0x273_0008 } });
    rig.start();
    expect(rig.smmu.get(0x88)).toBe(0x8);
    for (const sid of [0, 1, 255]) expect(rig.smmu.ste(sid)).toEqual([0x1n, 0x1000_0000_0000n, 0n, 0n, 0n, 0n, 0n, 0n]);
    expect(rig.smmu.get64(0x80) & 0x3fffn).toBe(0n);
  });

  test('so has an SMMU without two levels', () => {
    const rig = new Rig({ idr: { 0: 0x540_101a, 4: 0x273_000c } });
    rig.start();
    expect(rig.smmu.get(0x88)).toBe(0xc);
    expect(rig.memory.live.map(({ sizeBytes }) => sizeBytes)).toContain(4096 * 64);
  });

  test('StreamIDs of 32 bits: 25 of them, with a warning; ERANGE beyond', () => {
    const rig = new Rig({ idr: { 4: 0x273_0020 } });
    const { ops } = rig.start();
    expect(rig.smmu.get(0x88)).toBe(0x1_0219);
    expect(rig.warnings).toEqual(['/smmuv3@9050000: the stream table has 25 of 32 bits of StreamID']);
    rig.device(ops, 'last', 2 ** 25 - 1);
    expect(caught(() => rig.device(ops, 'beyond', 2 ** 25)).message).toBe(
      '/smmuv3@9050000: StreamID 0x2000000 is out of range (ERANGE)',
    );
  });

  test('queues as long as IDR1 says, at most 1 MiB', () => {
    const rig = new Rig({ idr: { 4: 0xe8_0010 } });
    rig.start();
    // CMDQS 7, EVENTQS 8
    expect([rig.smmu.get64(0x90) & 0x1fn, rig.smmu.get64(0xa0) & 0x1fn]).toEqual([7n, 8n]);
  });

  test('a queue is halved until there is memory for it', () => {
    const rig = new Rig();
    const { memory } = rig;
    const alloc = memory.alloc.bind(memory);
    memory.alloc = (sizeBytes, align) => {
      if (sizeBytes > 0x2_0000) throw new LinuxError('ENOMEM', 'fragmented');
      return alloc(sizeBytes, align);
    };
    rig.start();
    // 128 KiB of commands of 16 bytes, of records of 32
    expect([rig.smmu.get64(0x90) & 0x1fn, rig.smmu.get64(0xa0) & 0x1fn]).toEqual([13n, 12n]);
  });

  test('page 1 in page 0, and no prefetching, where firmware says so', () => {
    const properties = ['dma-coherent', 'cavium,cn9900-broken-page1-regspace', 'hisilicon,broken-prefetch-cmd'];
    const rig = new Rig({ properties, sizeBytes: 0x1_0000 });
    rig.smmu.page1 = 0;
    const { ops } = rig.start();
    expect(writesTo(rig, 0xa8)).toEqual([0n]);
    expect(rig.smmu.trace.filter(({ offset }) => offset >= 0x1_0000)).toEqual([]);
    ops.allocDomain('unmanaged').attach(rig.device(ops, 'device', 8));
    expect(rig.smmu.commands.map(({ opcode }) => opcode)).not.toContain(OPCODE.PREFETCH_CONFIG);
  });
});

describe('bringing up', () => {
  test('EL2 has a TLB too where there is one', () => {
    const rig = new Rig({ idr: { 0: 0xd40_121a } });
    rig.start();
    expect(rig.commandsSince(0)).toEqual([...['4:1f', 'fc02046:0', '20:0', 'fc02046:0', '30:0', 'fc02046:0']]);
  });

  test('an SMMU that was enabled: its streams abort first', () => {
    const rig = new Rig();
    rig.smmu.registers.set(0x20, 1);
    rig.start();
    expect(writesTo(rig, 0x44)).toEqual([0x8010_0000n]);
    expect(rig.warnings).toEqual(['/smmuv3@9050000: was enabled already']);
    const offsets = rig.smmu.trace.filter(({ op }) => op === 'w').map(({ offset }) => offset);
    expect(offsets.slice(0, 2)).toEqual([0x44, 0x20]);
  });

  test('GBPA that takes no update is no reason to give up', () => {
    const rig = new Rig();
    rig.smmu.registers.set(0x20, 1);
    rig.smmu.deaf.add('GBPA');
    rig.start();
    expect(rig.warnings).toEqual([
      '/smmuv3@9050000: was enabled already',
      '/smmuv3@9050000: GBPA does not take an update (ETIMEDOUT)',
    ]);
  });

  test("coherency is firmware's to say", () => {
    const rig = new Rig({ properties: [] });
    const { ops } = rig.start();
    expect(rig.warnings).toEqual(['/smmuv3@9050000: IDR0.COHACC is overridden by firmware: not coherent']);
    ops.allocDomain('dma').attach(rig.device(ops, 'device', 8));
    // IR0 and OR0 non-cacheable, SH0 outer
    expect(rig.smmu.cd(8)[0] & 0x3f00n).toBe(0x2000n);
  });

  test('failing each allocation of the probe in turn leaves nothing behind', () => {
    let allocations = 0;
    for (let up = false; !up; allocations++) {
      const rig = new Rig();
      rig.memory.left = allocations;
      try {
        rig.start();
        up = true;
      } catch (error) {
        expect(LinuxError.is(error, 'ENOMEM') && error.message).toMatch(/^\/smmuv3@9050000: no memory for the /);
        expect(rig.memory.live).toEqual([]);
        expect(rig.nrIrqs).toBe(0);
        expect(rig.nrMapped).toBe(0);
      }
    }
    // two queues and the level 1 table
    expect(allocations - 1).toBe(3);
  });

  test.each(['hang', 'refuse', 'abort'] as const)('failing each command of the probe in turn: %s', (verdict) => {
    const codes = { hang: 'ETIMEDOUT', refuse: 'EIO', abort: 'ETIMEDOUT' };
    let nr = 0;
    for (let up = false; !up; nr++) {
      const rig = new Rig();
      rig.smmu.tracing = false;
      let left = nr;
      rig.smmu.verdict = () => {
        if (left === 0 && verdict === 'abort') return verdict;
        return left-- === 0 ? verdict : 'take';
      };
      try {
        rig.start();
        // A SYNC that is refused is followed by one that is not.
        up = nr > 3 || !(verdict === 'refuse' && nr % 2 === 1);
      } catch (error) {
        expect(LinuxError.is(error, codes[verdict] as 'EIO')).toBe(true);
        expect(rig.smmu.get(0x20)).toBe(0);
        expect(rig.memory.live).toEqual([]);
        expect(rig.nrIrqs).toBe(0);
      }
    }
    expect(nr - 1).toBe(4);
  });
});

describe('its own interrupts', () => {
  test('by name; the others are left alone', () => {
    const rig = new Rig();
    rig.start();
    expect(rig.irqs.all.map(({ data, actions }) => `${data.hwirq} ${actions.map(({ name }) => name).join()}`)).toEqual([
      '74 arm-smmu-v3-evtq',
      '77 arm-smmu-v3-gerror',
    ]);
    expect(rig.warnings).toEqual([]);
  });

  test('one for all: no message registers are touched', () => {
    const rig = new Rig({ interruptNames: ['combined'], idr: { 0: 0xd40_301a }, msiParent: true });
    rig.start();
    expect(rig.irqs.all.map(({ actions }) => actions.map(({ name }) => name))).toEqual([['arm-smmu-v3-combined-irq']]);
    expect(writesTo(rig, 0x68)).toEqual([]);
    rig.smmu.onError = () => expect(rig.raise('combined')).toBe(true);
    rig.smmu.raise(4);
    expect(rig.warnings).toEqual(['/smmuv3@9050000: a write of the event queue was aborted: events may be lost']);
    expect(rig.smmu.get(0x64)).toBe(4);
  });

  test('none: warnings, and everything else works', () => {
    const rig = new Rig({ interruptNames: [] });
    rig.start();
    expect(rig.warnings).toEqual([
      '/smmuv3@9050000: no eventq interrupt: events will not be reported',
      '/smmuv3@9050000: no gerror interrupt: errors will not be reported',
    ]);
  });

  test('a controller that nobody drives: the same', () => {
    const rig = new Rig({ wired: 'never' });
    rig.start();
    expect(rig.warnings).toHaveLength(4);
  });

  test("R13: by MSI, at the doorbell's physical address; zero messages and nothing mapped after", () => {
    const rig = new Rig({ idr: { 0: 0xd40_301a }, msiParent: true });
    rig.start();
    // GERROR is vector 1, the event queue vector 0
    expect([rig.smmu.get64(0x68), rig.smmu.get(0x70), rig.smmu.get(0x74)]).toEqual([BigInt(DOORBELL), 1, 1]);
    expect([rig.smmu.get64(0xb0), rig.smmu.get(0xb8), rig.smmu.get(0xbc)]).toEqual([BigInt(DOORBELL), 0, 1]);
    const handled = rig.irqs.all.filter(({ actions }) => actions.length > 0);
    expect(handled.map(({ actions }) => actions[0].name)).toEqual(['arm-smmu-v3-evtq', 'arm-smmu-v3-gerror']);
    rig.devres.releaseAll();
    expect([rig.smmu.get64(0x68), rig.smmu.get64(0xb0)]).toEqual([0n, 0n]);
    expect(rig.nrIrqs).toBe(0);
  });

  test.each([0, 1])('MSIs that are not to be had: the wires, after %d', (msisLeft) => {
    const rig = new Rig({ idr: { 0: 0xd40_301a }, msiParent: true });
    rig.msisLeft = msisLeft;
    rig.start();
    expect(rig.warnings).toEqual(['/smmuv3@9050000: falls back to wired interrupts: told to fail (ENOSPC)']);
    expect(rig.irqs.all.map(({ data }) => data.hwirq)).toEqual([74, 77]);
    expect([rig.smmu.get64(0x68), rig.smmu.get64(0xb0)]).toEqual([0n, 0n]);
  });
});

describe('letting go', () => {
  test('disabled, interrupts off, memory back, nothing registered or mapped', () => {
    const rig = new Rig();
    const { ops } = rig.start();
    const domain = ops.allocDomain('dma');
    domain.attach(rig.device(ops, 'device', 8));
    rig.devres.releaseAll();
    expect([rig.smmu.get(0x20), rig.smmu.get(0x50)]).toEqual([0, 0]);
    expect(rig.memory.live).toEqual([]);
    expect(rig.nrIrqs).toBe(0);
    expect(rig.nrMapped).toBe(0);
    expect(rig.registered).toBeUndefined();
    expect(rig.warnings).toEqual([]);
  });

  test('an SMMU that is not disabled keeps its memory', () => {
    const rig = new Rig();
    rig.start();
    rig.smmu.deaf.add('CR0');
    rig.devres.releaseAll();
    expect(rig.warnings).toEqual([
      '/smmuv3@9050000: disabling: 0x0 is not acknowledged (ETIMEDOUT): 2101248 bytes stay allocated',
    ]);
    expect(rig.memory.liveBytes).toBe(2101248);
    expect(rig.nrIrqs).toBe(0);
  });
});

describe('what it offers', () => {
  test('it translates MSIs, isolates none, and reserves the window where software maps them', () => {
    const { ops } = new Rig().start();
    expect(ops.translatesMsi).toBe(true);
    expect(ops.isolatesMsi).toBeUndefined();
    expect(ops.resvRegions?.(testDevice('any'))).toEqual([
      { base: 0x800_0000, sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 },
    ]);
    expect(caught(() => ops.allocDomain('sva' as 'dma')).code).toBe('EINVAL');
  });
});
