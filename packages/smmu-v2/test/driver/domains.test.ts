// SPDX-License-Identifier: Apache-2.0
// Context banks: what they hold, who has them, what invalidation writes, and what is left when a step fails.

import { IOMMU_PROT } from '@irqkit/core';
import type { IommuDomainOps, Iova, PhysAddr } from '@irqkit/core';
import { caught } from '@irqkit-test/caught';
import { CB, GR1, MMU_500 } from './fake-smmu.js';
import { Rig, TestGather, unmap } from './rig.js';
import type { RigOptions } from './rig.js';

const { READ, WRITE, CACHE } = IOMMU_PROT;
const PAGE = 0x1000;
const BLOCK = 0x20_0000;
/** Stage 2 alone, and 40-bit addresses: an MMU-401 with 4 banks and an interrupt for all. */
const MMU_401 = { idr0: 0x2d01_5e20, idr1: 0x2004_0004, idr2: 0x4022, idr7: 0x10 };
const STAGE2 = { ...MMU_500, idr0: 0x2c00_5e20 };

const up = (options: RigOptions = {}) => {
  const rig = new Rig(options);
  return { rig, ...rig.start() };
};
const v1 = () => up({ compatible: ['arm,mmu-401', 'arm,smmu-v1'], facts: MMU_401, nrInterrupts: 2 });
function map(domain: IommuDomainOps, iova: number, pageBytes: number, count: number): void {
  domain.mapPages(iova as Iova, (0x8000_0000 + iova) as PhysAddr, pageBytes, count, READ | WRITE | CACHE);
}
/** [CBAR, CBA2R, SCTLR, TCR, TCR2] of a bank. */
const configuration = ({ smmu }: Rig, bank: number): readonly number[] => [
  smmu.get(smmu.pageBytes + GR1.CBAR + 4 * bank),
  smmu.get(smmu.pageBytes + GR1.CBA2R + 4 * bank),
  ...[CB.SCTLR, CB.TCR, CB.TCR2].map((offset) => smmu.bank(bank, offset)),
];

describe('what a context bank holds', () => {
  test('stage 1 of an SMMUv2, with AArch64 tables', () => {
    const { rig, ops } = up();
    const domain = ops.allocDomain('dma');
    // Stage 1 bypasses stage 2; VA64; ASIDPNE, CFIE, CFRE, AFE, TRE, M; EPD1, inner shareable, T0SZ 16; SEP upstream, AS, 48 bits.
    expect(configuration(rig, 0)).toEqual([0x1_f300, 1, 0x1067, 0x80_3510, 0x3_8015]);
    const { smmu } = rig;
    const at = smmu.bankAt(0);
    const table = rig.memory.live.at(-1)!;
    expect(Number(smmu.get64(at + CB.TTBR0))).toBeGreaterThanOrEqual(table.base);
    expect([smmu.get64(at + CB.TTBR1), smmu.bank(0, CB.MAIR1)]).toEqual([0n, expect.any(Number)]);
    expect(domain.aperture).toEqual({ first: 0, last: 2 ** 48 - 1 });
    expect(domain.pageSizes).toEqual([PAGE, BLOCK, 2 ** 30]);
    // The second one has its ASID in both TTBRs.
    ops.allocDomain('dma');
    expect([smmu.get64(smmu.bankAt(1) + CB.TTBR0) >> 48n, smmu.get64(smmu.bankAt(1) + CB.TTBR1)]).toEqual([
      1n,
      1n << 48n,
    ]);
  });

  test('the bank is complete before it is enabled', () => {
    const { rig, ops } = up();
    const offsets = rig.written(() => void ops.allocDomain('dma')).map((each) => each.split('=')[0]);
    expect(offsets).toEqual(['1800', '1000', '8010', '8030', '8020', '8028', '8038', '803c', '8000']);
  });

  test('stage 2 of an SMMUv2 has its VMID', () => {
    const { rig, ops } = up({ facts: STAGE2 });
    ops.allocDomain('dma');
    ops.allocDomain('dma');
    // RES1, 48 bits out, inner shareable, level 0 of 4 KiB, T0SZ 16.
    expect(configuration(rig, 1)).toEqual([2, 1, 0x67, 0x8005_3590, 0]);
    const wide = up({ facts: { ...STAGE2, idr2: 0xd555 } });
    wide.ops.allocDomain('dma');
    expect(configuration(wide.rig, 0).slice(0, 2)).toEqual([0, 0x1_0001]);
  });

  test('an MMU-401 has tables of the AArch32 long format, and no CBA2R', () => {
    const { rig, ops } = v1();
    const offsets = rig.written(() => void ops.allocDomain('dma')).map((each) => each.split('=')[0]);
    expect(offsets).toEqual(['1000', '8030', '8020', '8000']);
    const domain = ops.allocDomain('dma');
    // EAE, inner shareable, level 1, T0SZ -8 with its sign in bit 4: 40 bits.
    expect(configuration(rig, 1)).toEqual([2, 0, 0x67, 0x8000_3558, 0]);
    expect(domain.aperture.last).toBe(2 ** 40 - 1);
  });

  test('an SMMUv1 with stage 1 has 32 bits of input, and IRPTNDX', () => {
    const facts = { idr0: 0x7802_5e20, idr1: 0x2000_0004, idr2: 0x122, idr7: 0x10 };
    const { rig, ops } = up({ compatible: ['arm,smmu-v1'], facts, nrInterrupts: 3 });
    for (let n = 0; n < 3; n++) expect(ops.allocDomain('dma').aperture.last).toBe(2 ** 32 - 1);
    // Two interrupts in turn; EAE, EPD1, inner shareable, T0SZ 0.
    expect([0, 1, 2].map((n) => configuration(rig, n)[0])).toEqual([0x1_f300, 0x101_f300, 0x1_f300]);
    expect(configuration(rig, 2).slice(1)).toEqual([0, 0x1067, 0x8080_3500, 0]);
  });

  test('a Marvell AP806 gets AArch32 tables and no 64-bit accesses', () => {
    const rig = new Rig({ compatible: ['marvell,ap806-smmu-500', 'arm,mmu-500'] });
    rig.smmu.noDoublewords = true;
    const { ops } = rig.start();
    const written = rig.written(() => void ops.allocDomain('dma'));
    expect(configuration(rig, 0)).toEqual([0x1_f300, 0, 0x1067, 0x8080_3500, 0x3_8002]);
    expect(written.map((each) => each.split('=')[0]).slice(4, 8)).toEqual(['8024', '8020', '802c', '8028']);
  });

  test('ThunderX SMMUs of one host have different ids', () => {
    const iommus = {};
    const cavium = () => up({ compatible: ['cavium,smmu-v2'], iommus });
    const [first, second] = [cavium(), cavium()];
    first.ops.allocDomain('dma');
    second.ops.allocDomain('dma');
    const asid = ({ smmu }: Rig): bigint => smmu.get64(smmu.bankAt(0) + CB.TTBR0) >> 48n;
    expect([asid(first.rig), asid(second.rig)]).toEqual([0n, 8n]);
  });

  test('16 and 64 KiB where there are no 4 KiB and no AArch32', () => {
    const sizes = (idr2: number) =>
      up({ facts: { ...MMU_500, idr0: 0x7e00_5e20, idr2 } }).ops.allocDomain('dma').pageSizes;
    expect(sizes(0x2555)).toEqual([2 ** 14, 2 ** 25]);
    expect(sizes(0x4555)).toEqual([2 ** 16, 2 ** 29]);
  });
});

describe('who has which bank', () => {
  test('banks for stage 2 only are left to it; ENOSPC where all are taken, undone', () => {
    const { rig, ops } = up({ facts: { ...MMU_500, idr1: 0x2006_0008 } });
    const domains = [ops.allocDomain('dma'), ops.allocDomain('unmanaged')];
    expect([0, 5, 6, 7].map((n) => configuration(rig, n)[2])).toEqual([0, 0, 0x1067, 0x1067]);
    const before = [rig.memory.live.length, rig.nrIrqs];
    expect(caught(() => ops.allocDomain('dma')).message).toBe(
      '/iommu@2b400000: no context bank left for stage 1 (ENOSPC)',
    );
    expect([rig.memory.live.length, rig.nrIrqs]).toEqual(before);
    domains[0].free();
    expect(configuration(rig, 6)[2]).toBe(0);
    ops.allocDomain('dma');
    expect(configuration(rig, 6)[2]).toBe(0x1067);
  });

  test('streams lead to the bank; identity bypasses, blocked faults; what is there already is not written', () => {
    const { rig, ops } = up();
    const device = rig.device(ops, 'device', 8, 9);
    ops.allocDomain('dma');
    const domain = ops.allocDomain('dma');
    expect(rig.written(() => domain.attach(device))).toEqual(['c00=1', 'c04=1']);
    expect(rig.written(() => domain.attach(device))).toEqual([]);
    expect(rig.written(() => ops.allocDomain('identity').attach(device))).toEqual(['c00=10000', 'c04=10000']);
    expect(rig.written(() => ops.allocDomain('blocked').attach(device))).toEqual(['c00=20000', 'c04=20000']);
  });

  test('domains without tables', () => {
    const { ops } = up();
    const [identity, blocked] = [ops.allocDomain('identity'), ops.allocDomain('blocked')];
    expect(identity.iovaToPhys(0x1234 as Iova)).toBe(0x1234);
    expect(blocked.iovaToPhys(0x1234 as Iova)).toBeUndefined();
    expect(caught(() => map(identity, 0, PAGE, 1)).code).toBe('ENODEV');
    expect(unmap(blocked, 0, PAGE, 1)).toBe(0);
    identity.flushIotlbAll();
    identity.free();
    expect(caught(() => ops.allocDomain('sva' as never)).message).toBe(
      '/iommu@2b400000: no domains of type sva (EINVAL)',
    );
  });

  test('doorbells are mapped where Linux has them', () => {
    const { rig, ops } = up();
    expect(ops.resvRegions?.(rig.device(ops, 'device', 1))).toEqual([
      { base: 0x800_0000, sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 },
    ]);
    expect(ops.translatesMsi).toBe(true);
  });
});

describe('invalidation', () => {
  const mapped = (options?: RigOptions) => {
    const started = up(options);
    started.ops.allocDomain('dma');
    const domain = started.ops.allocDomain('dma');
    map(domain, 0x10_0000_0000, PAGE, 4);
    map(domain, 0x4000_0000, BLOCK, 2);
    return { ...started, domain };
  };
  const SYNC = '97f0=0';

  test('stage 1: each page that went, by its last level, then the bank alone is synchronized', () => {
    const { rig, domain } = mapped();
    const two = rig.written(() => expect(unmap(domain, 0x10_0000_0000, PAGE, 2)).toBe(2 * PAGE));
    expect(two).toEqual(['9620=1000001000000', '9620=1000001000001', SYNC]);
    // A table that goes is invalidated at any level, before its memory is used again.
    map(domain, 0, PAGE, 513);
    const table = rig.written(() => void unmap(domain, 0, BLOCK, 1));
    expect(table.filter((each) => each.startsWith('9600='))).toHaveLength(512);
    expect(table.slice(511)).toEqual(['9600=10000000001ff', SYNC, '9620=1000000000000', SYNC]);
    expect(rig.written(() => void unmap(domain, 0x4000_0000, BLOCK, 2)).slice(-3)).toEqual([
      '9620=1000000040000',
      '9620=1000000040200',
      SYNC,
    ]);
    expect(rig.written(() => domain.flushIotlbAll())).toEqual(['9610=1', SYNC]);
  });

  test('more than a table of entries goes at once', () => {
    const { rig, domain } = mapped();
    map(domain, 0, PAGE, 1024);
    const written = rig.written(() => void unmap(domain, 0, PAGE, 1024));
    expect(written.slice(-2)).toEqual(['9610=1', SYNC]);
    expect(written.length).toBeLessThan(10);
  });

  test('a queued gather is left to the flush', () => {
    const { rig, domain } = mapped();
    const gather = new TestGather(true);
    expect(rig.written(() => void domain.unmapPages(0x10_0000_0000 as Iova, PAGE, 1, gather))).toEqual([]);
    domain.iotlbSync(gather);
    expect(gather.pageBytes).toBe(0);
  });

  test('what does not fit the gather is invalidated first', () => {
    const { rig, domain } = mapped();
    const gather = new TestGather();
    domain.unmapPages(0x10_0000_0000 as Iova, PAGE, 1, gather);
    const written = rig.written(() => void domain.unmapPages(0x10_0000_2000 as Iova, PAGE, 1, gather));
    expect(written).toEqual(['9620=1000001000000', SYNC]);
    expect([gather.first, gather.last]).toEqual([0x10_0000_2000, 0x10_0000_2fff]);
  });

  test('stage 2 of an SMMUv2: by IPA, and by VMID', () => {
    const { rig, domain } = mapped({ facts: STAGE2 });
    expect(rig.written(() => void unmap(domain, 0x10_0000_0000, PAGE, 2))).toEqual([
      '9638=1000000',
      '9638=1000001',
      SYNC,
    ]);
    expect(rig.written(() => domain.flushIotlbAll())).toEqual(['64=2', '70=0']);
  });

  test('stage 2 of an SMMUv1: by VMID alone', () => {
    const { rig, ops } = v1();
    const domain = ops.allocDomain('dma');
    map(domain, 0x10_0000_0000, PAGE, 4);
    expect(rig.written(() => void unmap(domain, 0x10_0000_0000, PAGE, 2))).toEqual(['64=1', '70=0']);
  });

  test('AArch32 stage 1: a word with the ASID, any level on an SMMUv1', () => {
    const facts = { idr0: 0x7801_5e20, idr1: 0x2000_0004, idr2: 0x122, idr7: 0x10 };
    const { rig, ops } = up({ compatible: ['arm,smmu-v1'], facts, nrInterrupts: 2 });
    ops.allocDomain('dma');
    const domain = ops.allocDomain('dma');
    map(domain, 0xffff_e000, PAGE, 2);
    expect(rig.written(() => void unmap(domain, 0xffff_e000, PAGE, 1))).toEqual(['9600=ffffe001', SYNC]);
  });

  test('R7: where the SMMU does not follow the log says so, and tables and bank are kept until it does', () => {
    const { rig, ops, domain } = mapped({ facts: { ...MMU_500, idr1: 0x2006_0008 } });
    const bytes = rig.memory.liveBytes;
    rig.smmu.tracing = false;
    rig.smmu.syncsLeft = 0;
    unmap(domain, 0x10_0000_0000, PAGE, 1);
    expect(rig.warnings).toEqual([
      '/iommu@2b400000: the TLB of context bank 7 did not synchronize in 100000 polls (ETIMEDOUT)',
    ]);
    domain.free();
    expect(caught(() => ops.allocDomain('dma')).code).toBe('ENOSPC');
    expect(rig.memory.liveBytes).toBe(bytes);
    rig.smmu.syncsLeft = Infinity;
    ops.allocDomain('dma');
    rig.devres.releaseAll();
    expect(rig.memory.liveBytes).toBe(0);
  });

  test('R7: an SMMU that hangs at teardown keeps its memory, and the log says how much', () => {
    const { rig } = mapped();
    rig.smmu.tracing = false;
    rig.smmu.syncsLeft = 0;
    rig.devres.releaseAll();
    expect(rig.memory.liveBytes).toBeGreaterThan(0);
    expect(rig.warnings.at(-1)).toMatch(`${rig.memory.liveBytes} bytes stay allocated`);
  });
});

describe('R7: a step that fails leaves nothing behind', () => {
  const work = (rig: Rig): void => {
    const { ops } = rig.start();
    const device = rig.device(ops, 'device', 8);
    const [first, second] = [ops.allocDomain('dma'), ops.allocDomain('dma')];
    first.attach(device);
    map(first, 0x10_0000_0000, PAGE, 4);
    second.attach(device);
    unmap(first, 0x10_0000_0000, PAGE, 4);
    first.free();
    ops.releaseDevice(device);
    second.free();
  };

  test('the k-th allocation, for every k', () => {
    let failures = 0;
    for (let k = 0; k < 100; k++) {
      const rig = new Rig();
      rig.memory.left = k;
      let code: string | undefined;
      try {
        work(rig);
      } catch (error) {
        code = caught(() => {
          throw error;
        }).code;
        failures++;
      }
      rig.devres.releaseAll();
      expect([rig.memory.live.length, rig.nrMapped]).toEqual([0, 0]);
      if (code === undefined) break;
      expect(code).toBe('ENOMEM');
    }
    expect(failures).toBeGreaterThan(0);
  });

  test('a context interrupt that cannot be had: the bank is off and had again', () => {
    const rig = new Rig();
    const { ops } = rig.start();
    const before = [rig.memory.liveBytes, rig.nrIrqs];
    rig.irqsLeft = 0;
    const written = rig.written(() => expect(caught(() => ops.allocDomain('dma')).code).toBe('ENOSPC'));
    expect(written.slice(-4)).toEqual(['8000=1067', '8000=0', '8610=0', '87f0=0']);
    expect([rig.memory.liveBytes, rig.nrIrqs]).toEqual(before);
    rig.irqsLeft = 1;
    ops.allocDomain('dma');
    expect(configuration(rig, 0)[2]).toBe(0x1067);
  });

  test('the k-th synchronization, for every k', () => {
    let hangs = 0;
    for (let k = 0; k < 100; k++) {
      const rig = new Rig();
      rig.smmu.tracing = false;
      rig.smmu.syncsLeft = k;
      let failed = false;
      try {
        work(rig);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ETIMEDOUT' });
        failed = true;
      }
      hangs += Number(failed || rig.warnings.length > 0);
      rig.smmu.syncsLeft = Infinity;
      if (!failed) rig.devres.releaseAll();
      expect(rig.nrMapped).toBe(0);
      expect(rig.memory.live).toEqual([]);
      if (!failed && rig.warnings.length === 0) break;
    }
    expect(hangs).toBeGreaterThan(3);
  });
});
