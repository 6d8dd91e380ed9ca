// SPDX-License-Identifier: Apache-2.0
// The driver: discovery, doorbells, messages, and how frames share one domain.
import * as fc from 'fast-check';
import { IOMMU_PROT, IRQ_DOMAIN_FLAG, IRQ_TYPE, LinuxError, MSI_FLAG, createHost, lookupDoorbell } from '@irqkit/core';
import type { Bus, MsiDoorbellInfo } from '@irqkit/core';
import { createBoard } from '@irqkit/board';
import { GRAVITON_COMPATIBLE } from '@irqkit/gic-v2m';
import { runs, seed } from '@irqkit-test/env';
import { frameBase, frameMachine, frameTree, plugins, spis } from './frames.js';

const PROT = IOMMU_PROT.WRITE | IOMMU_PROT.MMIO | IOMMU_PROT.NOEXEC;
const doorbell = (base: number, sizeBytes = 4) =>
  ({ globalDoorbell: base, sizeBytes, prot: PROT, irqRemapping: false }) as unknown as MsiDoorbellInfo;

/** Reads of the frames, as offsets from 0x8020000. */
function readsOf(frames: Parameters<typeof frameMachine>[0]): number[] {
  const reads: number[] = [];
  frameMachine(frames, {}, (bus: Bus) => ({
    memory: bus.memory,
    cpus: bus.cpus,
    unmap: (region) => bus.unmap(region),
    map(wanted) {
      const region = bus.map(wanted);
      const { read } = region;
      region.read = (offset, size) => {
        if (region.base >= frameBase(0)) reads.push(offset);
        return read.call(region, offset, size);
      };
      return region;
    },
  }));
  return reads;
}

describe('discovery', () => {
  it('reads MSI_TYPER, then MSI_IIDR, as Linux does', () => {
    expect(readsOf([{}])).toEqual([0x008, 0xfcc]);
  });

  it('takes the overrides where both stand, and neither is 0', () => {
    expect(readsOf([spis(160, 32)])).toEqual([0xfcc]);
    expect(readsOf([spis(0, 32)])).toEqual([0x008, 0xfcc]);
    expect(readsOf([{ 'arm,msi-base-spi': 160 }])).toEqual([0x008, 0xfcc]);
    expect(frameMachine([spis(160, 32)]).alloc(1)).toEqual([160]);
  });

  it('reads nothing of a frame whose registers cannot be read', () => {
    expect(readsOf([{ compatible: GRAVITON_COMPATIBLE, ...spis(64, 64) }])).toEqual([]);
    const blind = () => frameMachine([{ compatible: GRAVITON_COMPATIBLE }]);
    expect(blind).toThrow(/^\/intc@8000000\/v2m@8020000: amazon-graviton needs .* \(EINVAL\)$/);
  });

  it("refuses SPIs below 32 or beyond Linux 6.1's limit with EINVAL", () => {
    expect(() => frameMachine([spis(31, 4)])).toThrow(
      '/intc@8000000/v2m@8020000: MSI base SPI 31 is below 32 (EINVAL)',
    );
    expect(() => frameMachine([spis(1000, 20)])).toThrow(/20 SPIs from 1000 are none or end beyond 1019 \(EINVAL\)$/);
    expect(() => frameMachine([{}], { 0: { MSI_TYPER: 0x0050_0000 } })).toThrow(/\(EINVAL\)$/);
    expect(frameMachine([spis(1000, 19)]).host.drivers).toHaveLength(2);
  });

  it('is ENODEV for a node that is no msi-controller', () => {
    const firmware = frameTree([{ 'msi-controller': {} }]);
    const { bus } = createBoard({ firmware, plugins });
    expect(() => createHost({ firmware, plugins, bus })).toThrow(
      /v2m@8020000: is no msi-controller of a GIC \(ENODEV\)$/,
    );
  });
});

describe('doorbells', () => {
  it('R5: each frame registers its MSI_SETSPI_NS, without remapping', () => {
    const { host } = frameMachine([spis(64, 32), spis(96, 32)]);
    expect(host.doorbells.all).toEqual([doorbell(0x802_0040), doorbell(0x803_0040)]);
    expect(host.doorbells.safe()).toBe(false);
  });

  it('R5: an address-only frame registers the span of the addresses it composes', () => {
    const { host } = frameMachine([{ compatible: GRAVITON_COMPATIBLE, ...spis(64, 16) }]);
    // From (64 - 32) * 8 to (79 - 32) * 8 + 4.
    expect(host.doorbells.all).toEqual([doorbell(0x802_0100, 15 * 8 + 4)]);
  });

  it('R4: an interrupt leads to the doorbell of the frame that serves it', () => {
    const { host, domain, alloc } = frameMachine([spis(64, 1), spis(96, 1)]);
    const found = [...alloc(1), ...alloc(1)].map((intid) => {
      const data = domain.find(intid);
      return data && lookupDoorbell(data);
    });
    expect(found).toEqual(host.doorbells.all);
    expect(domain.doorbells).toEqual(host.doorbells.all);
  });

  it('R6: the domain does not say that it isolates', () => {
    const { domain } = frameMachine([{}]);
    expect(domain.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(false);
    expect(domain.msiParent?.supportedFlags).toBe(MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX);
  });

  it('offers no multi-MSI where the address tells SPIs apart', () => {
    const { domain } = frameMachine([{ compatible: GRAVITON_COMPATIBLE, ...spis(64, 16) }]);
    expect(domain.msiParent?.supportedFlags).toBe(MSI_FLAG.PCI_MSIX);
  });
});

describe('messages', () => {
  it.each([
    ['arm', {}, 0x0510_0000, { address: 0x802_0040, data: 70 }],
    ['apm-xgene', {}, 0x0600_0170, { address: 0x802_0040, data: 6 }],
    ['brcm-ns2', {}, 0x0000_013f, { address: 0x802_0040, data: 38 }],
    ['amazon-graviton', { compatible: GRAVITON_COMPATIBLE }, 0, { address: 0x802_0000 + 38 * 8, data: 0 }],
  ])('%s: INTID 70 of a frame that begins at 64', (_name, properties, MSI_IIDR, expected) => {
    const machine = frameMachine([{ ...properties, ...spis(64, 16) }], { 0: { MSI_IIDR } });
    for (let i = 0; i < 7; i++) machine.alloc(1);
    expect(machine.message(70)).toEqual(expected);
  });

  it('asks the parent for SPIs that are edge-triggered', () => {
    const { domain, alloc } = frameMachine([{}]);
    const [first] = alloc(1);
    const chip = domain.parent?.find(first)?.chip ?? { name: 'none' };
    const setType = jest.spyOn(chip, 'setType');
    const [second] = alloc(1);
    expect([first, second]).toEqual([80, 81]);
    expect(setType.mock.calls).toEqual([[domain.parent?.find(81), IRQ_TYPE.EDGE_RISING]]);
  });
});

describe('allocation', () => {
  it('takes the lowest free block, aligned so that vectors fit into the low bits of the data', () => {
    const { alloc, free } = frameMachine([spis(81, 40)]);
    expect(alloc(1)).toEqual([81]);
    expect(alloc(4)).toEqual([84, 85, 86, 87]);
    expect(alloc(2)).toEqual([82, 83]);
    expect(alloc(3)).toEqual([88, 89, 90]);
    expect(alloc(1)).toEqual([92]);
    free(84, 4);
    expect(alloc(2)).toEqual([84, 85]);
    expect(alloc(8)).toEqual([96, 97, 98, 99, 100, 101, 102, 103]);
  });

  it('aligns to the data where it is not the INTID', () => {
    const { alloc, message } = frameMachine([spis(65, 32)], { 0: { MSI_IIDR: 0x0600_0170 } });
    alloc(1);
    const [first] = alloc(4);
    expect([first, message(first).data]).toEqual([69, 4]);
  });

  it('goes on to the next frame, and ends in ENOSPC with nothing taken', () => {
    const { alloc, free, domain } = frameMachine([spis(64, 4), spis(96, 2)]);
    expect([alloc(4), alloc(2)]).toEqual([
      [64, 65, 66, 67],
      [96, 97],
    ]);
    expect(() => alloc(1)).toThrow(/^\/intc@8000000\/v2m@8020000: no frame has 1 SPIs left in a block \(ENOSPC\)$/);
    expect([domain.nrMapped, domain.parent?.nrMapped]).toEqual([6, 6]);
    free(96, 2);
    expect(() => alloc(4)).toThrow(/\(ENOSPC\)$/);
    expect(alloc(1)).toEqual([96]);
  });

  it('gives everything back when the parent fails in the middle of a block', () => {
    const { alloc, free, domain } = frameMachine([spis(64, 8)]);
    const [first] = alloc(1);
    const chip = domain.parent?.find(first)?.chip ?? { name: 'none' };
    free(first, 1);
    let failing = true;
    jest.spyOn(chip, 'setType').mockImplementation(({ hwirq }) => {
      if (failing && hwirq === 66) throw new LinuxError('EINVAL', 'no such type');
    });
    expect(() => alloc(4)).toThrow(/^no such type \(EINVAL\)$/);
    expect([domain.nrMapped, domain.parent?.nrMapped]).toEqual([0, 0]);
    failing = false;
    expect(alloc(4)).toEqual([64, 65, 66, 67]);
  });

  it('leaves out SPIs that a device is wired to, for as long as it is', () => {
    const { alloc, domain, host, nodes } = frameMachine([spis(64, 8)]);
    const controller = domain.parent?.node ?? nodes[0];
    const wired = host.irqs.createMapping({ controller, args: [0, 66 - 32, IRQ_TYPE.EDGE_RISING] });
    expect(alloc(4)).toEqual([68, 69, 70, 71]);
    expect(() => alloc(4)).toThrow(/\(ENOSPC\)$/);
    host.irqs.freeIrqs(wired, 1);
    expect(alloc(4)).toEqual([64, 65, 66, 67]);
  });

  it('leaks nothing, and blocks are lowest, aligned and disjoint', () => {
    const step = fc.oneof(fc.record({ nr: fc.integer({ min: 1, max: 16 }) }), fc.record({ release: fc.nat() }));
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: 80 }),
        fc.integer({ min: 1, max: 48 }),
        fc.array(step),
        (first, count, steps) => {
          const { alloc, free, domain, host } = frameMachine([spis(first, count)]);
          const held: { intid: number; nr: number }[] = [];
          const used = new Set<number>();
          const size = (nr: number): number => 2 ** Math.ceil(Math.log2(nr));
          const block = ({ intid, nr }: { intid: number; nr: number }) =>
            Array.from({ length: size(nr) }, (_, i) => intid + i);
          for (const each of steps) {
            if ('release' in each) {
              const [gone] = held.splice(each.release % Math.max(held.length, 1), 1);
              if (!gone) continue;
              free(gone.intid, gone.nr);
              for (const intid of block(gone)) used.delete(intid);
              continue;
            }
            const { nr } = each;
            let wanted = Math.ceil(first / size(nr)) * size(nr);
            while (block({ intid: wanted, nr }).some((intid) => used.has(intid))) wanted += size(nr);
            if (wanted + size(nr) > first + count) expect(() => alloc(nr)).toThrow(/\(ENOSPC\)$/);
            else {
              expect(alloc(nr)).toEqual(Array.from({ length: nr }, (_, i) => wanted + i));
              held.push({ intid: wanted, nr });
              for (const intid of block({ intid: wanted, nr })) used.add(intid);
            }
          }
          const total = held.reduce((sum, { nr }) => sum + nr, 0);
          expect([domain.nrMapped, domain.parent?.nrMapped, host.irqs.all.length]).toEqual([total, total, total]);
          for (const { intid, nr } of held) free(intid, nr);
          host.teardown();
          expect(host.doorbells.all).toEqual([]);
        },
      ),
      { seed, numRuns: runs(40, 1000) },
    );
  });
});

describe('frames of one GIC', () => {
  it('share one domain, which each of their nodes leads to', () => {
    const { host, nodes, domain } = frameMachine([spis(64, 2), spis(96, 2), spis(128, 2)]);
    expect(nodes.map((node) => host.irqs.findDomain(node, 'msi-parent') === domain)).toEqual([true, true, true]);
  });

  it('live on when the one that made the domain goes first, and the last one removes it', () => {
    const { host, nodes, domain, alloc, free } = frameMachine([spis(64, 2), spis(96, 2)]);
    const [, first, second] = host.drivers;
    first.devres.releaseAll();
    expect(host.irqs.findDomain(nodes[1], 'msi-parent')).toBe(domain);
    expect(host.doorbells.all).toEqual([doorbell(0x803_0040)]);
    expect(alloc(2)).toEqual([96, 97]);
    free(96, 2);
    second.devres.releaseAll();
    expect(nodes.map((node) => host.irqs.findDomain(node, 'msi-parent'))).toEqual([undefined, undefined]);
  });

  it('leaves nothing at teardown', () => {
    const { host, nodes } = frameMachine([spis(64, 2), spis(96, 2)]);
    host.teardown();
    expect(host.doorbells.all).toEqual([]);
    expect(nodes.map((node) => host.irqs.findDomain(node, 'msi-parent'))).toEqual([undefined, undefined]);
  });

  it('waits for its GIC, and is ENODEV where no driver makes one', () => {
    const firmware = frameTree([{}]);
    const { bus } = createBoard({ firmware, plugins });
    expect(() => createHost({ firmware, plugins: [plugins[0]], bus })).toThrow(/^\/intc@8000000: .* \(ENODEV\)$/);
  });
});

describe('driver and model together', () => {
  it.each([
    ['arm', {}, 0x0510_0000],
    ['apm-xgene', {}, 0x0600_0170],
    ['brcm-ns2', {}, 0x0000_013f],
    ['amazon-graviton', { compatible: GRAVITON_COMPATIBLE }, 0],
  ])('%s: what the driver composes raises the interrupt it stands for', (_name, properties, MSI_IIDR) => {
    const { alloc, message, board, host, domain } = frameMachine([{ ...properties, ...spis(65, 16) }], {
      0: { MSI_IIDR },
    });
    const served: number[] = [];
    const intids = Array.from({ length: 16 }, () => alloc(1)[0]);
    for (const intid of intids) {
      const virq = domain.find(intid)?.virq ?? 0;
      host.irqs.requestIrq(virq, () => served.push(intid) > 0, 'test');
    }
    const by = { kind: 'device', cpu: -1, requesterId: 8, streamId: -1, deviceId: -1 } as const;
    for (const intid of intids) {
      const { address, data } = message(intid);
      expect(board.access.deviceWrite(address as Parameters<typeof board.access.deviceWrite>[0], data, 4, by)).toBe(
        true,
      );
    }
    expect(served).toEqual(intids);
  });
});
