// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  IRQ_DOMAIN_FLAG,
  LinuxError,
  MSI_FLAG,
  PlatformDevice,
  createMsiDomain,
  iova,
  msiDomainAllocIrqs,
  msiDomainFreeIrqs,
  msiGetDomainInfo,
  physAddr,
} from '@irqkit/core';
import type { Iova, MsiDoorbellInfo, MsiTranslation, PhysAddr } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { stubNode } from './stub-machine.js';
import { MSI_NODE, TOY_DOORBELL, toyBusDomain, toyDevice, toyMsi, vectors } from './toy-controllers.js';
import type { ToyMsi } from './toy-controllers.js';

/** An IOMMU's part: doorbell pages at 0x8000000 + n * 0x1000, counted; `failAt` makes the n-th bind fail. */
class ToyTranslation implements MsiTranslation {
  readonly bound: MsiDoorbellInfo[] = [];
  failAt = Infinity;
  #binds = 0;

  bind(doorbell: MsiDoorbellInfo): void {
    if (this.#binds++ === this.failAt) throw new LinuxError('ENOSPC', 'no IOVA left');
    this.bound.push(doorbell);
  }

  unbind(doorbell: MsiDoorbellInfo): void {
    this.bound.splice(this.bound.indexOf(doorbell), 1);
  }

  iovaOf(pa: PhysAddr): Iova | undefined {
    return this.bound.length > 0 && pa >= 0x2000 && pa < 0x3000 ? iova(0x800_0000 + (pa % 0x1000)) : undefined;
  }
}

const setUp = (options: Parameters<typeof toyMsi>[0] = {}, msiTranslation?: MsiTranslation) => {
  const toy = toyMsi(options);
  const device = toyDevice({ name: '0000:00:01.0', msiDomain: toyBusDomain(toy), msiTranslation });
  return { ...toy, device };
};

const stateOf = ({ irqs, used, root, parent }: ToyMsi) => ({
  irqs: irqs.all.length,
  used: used.size,
  mapped: [root.nrMapped, parent.nrMapped],
});

describe('msi domains', () => {
  it('R6: msiGetDomainInfo answers for MSI domains only, with the flags that bus and controller share', () => {
    const { parent, device } = setUp();
    expect(msiGetDomainInfo(parent)).toBeUndefined();
    expect(msiGetDomainInfo(device.msiDomain!)?.flags).toBe(MSI_FLAG.MULTI_PCI_MSI);
  });

  it('R6: the remapping flag of a controller is seen through the domains that stand on it', () => {
    const isolated = setUp({ flags: IRQ_DOMAIN_FLAG.ISOLATED_MSI });
    expect(isolated.device.msiDomain?.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(true);
    expect(setUp().device.msiDomain?.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(false);
  });

  it('stand only on a controller that takes them', () => {
    const { irqs, root } = toyMsi();
    const info = { flags: 0, chip: { name: 'x' }, hwirqOf: () => 0 };
    expect(() => createMsiDomain(irqs, root, { name: 'x', busToken: 'pci-msi', info })).toThrow('EINVAL');
  });

  it('keep the hierarchy: bus, controller, root', () => {
    const toy = setUp();
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    const data = toy.irqs.irqData(desc.virq);
    expect([data, data.parent!, data.parent!.parent!].map(({ chip, hwirq }) => [chip.name, hwirq])).toEqual([
      ['BUS-MSI', 64],
      ['TOY-MSI', 0],
      ['ROOT', 0],
    ]);
    expect(data.common.msiDesc).toBe(desc);
  });
});

describe('enabling and freeing', () => {
  it('R9: activation composes the message and writes it to the device', () => {
    const toy = setUp();
    msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 2));
    expect(toy.journal).toEqual(['write 0 0x2040=0', 'write 1 0x2040=1']);
    expect(toy.device.msiDescs.map(({ msg }) => msg)).toEqual([
      { address: 0x2040, data: 0 },
      { address: 0x2040, data: 1 },
    ]);
  });

  it('R9: a translated device is given the bound IOVA, the doorbell bound before any message is written', () => {
    const translation = new ToyTranslation();
    const toy = setUp({}, translation);
    const order: string[] = [];
    const bind = translation.bind.bind(translation);
    translation.bind = (doorbell) => {
      order.push('bind');
      bind(doorbell);
    };
    const specs = vectors(toy, 2).map((spec) => ({
      ...spec,
      hardware: { write: ({ address }: { address: number }) => void order.push(`0x${address.toString(16)}`) },
    }));
    msiDomainAllocIrqs(toy.irqs, toy.device, specs);
    expect(order).toEqual(['bind', 'bind', '0x8000040', '0x8000040']);
    expect(translation.bound).toEqual([TOY_DOORBELL, TOY_DOORBELL]);
  });

  it('R9: freeing writes a zero message to every vector before anything is released', () => {
    const translation = new ToyTranslation();
    const toy = setUp({}, translation);
    msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 2));
    toy.journal.length = 0;
    const unbind = translation.unbind.bind(translation);
    translation.unbind = (doorbell) => {
      toy.journal.push('unbind');
      unbind(doorbell);
    };
    msiDomainFreeIrqs(toy.irqs, toy.device);
    expect(toy.journal).toEqual(['write 1 0x0=0', 'write 0 0x0=0', 'unbind', 'unbind']);
    expect(toy.device.msiDescs).toEqual([]);
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
  });

  it('R13: a device whose MSIs are not translated gets the physical address', () => {
    const toy = setUp();
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    expect(desc.msg.address).toBe(physAddr(0x2040));
  });

  it('writes one message for a multi-MSI block, and masks its vectors one by one', () => {
    const toy = setUp();
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1, 4));
    expect(toy.journal).toEqual(['write 0 0x2040=0']);
    toy.irqs.requestIrq(desc.virq + 2, () => true, 'third');
    expect(toy.journal.slice(1)).toEqual(['affinity 2 0,1', 'open 0+2', 'unmask 2']);
  });

  it.each([
    ['R7: ENODEV without an MSI domain', 'ENODEV', {}, undefined],
    ['R7: EINVAL for a count that is no power of two', 'EINVAL', { nrVectors: 3 }, 'domain'],
  ])('%s', (_title, code, spec, domain) => {
    const toy = toyMsi();
    const device = toyDevice({ name: 'd', msiDomain: domain ? toyBusDomain(toy) : undefined });
    const specs = vectors(toy, 1).map((one) => ({ ...one, ...spec }));
    expect(() => msiDomainAllocIrqs(toy.irqs, device, specs)).toThrow(`(${code})`);
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
  });

  it('refuses a second enabling, and freeing under a handler', () => {
    const toy = setUp();
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    expect(() => msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1))).toThrow('already enabled (EINVAL)');
    const handler = () => true;
    toy.irqs.requestIrq(desc.virq, handler, 'nvme0q0');
    expect(() => msiDomainFreeIrqs(toy.irqs, toy.device)).toThrow('nvme0q0 still handles irq 1 (EBUSY)');
    toy.irqs.freeIrq(desc.virq, handler);
    msiDomainFreeIrqs(toy.irqs, toy.device);
    msiDomainFreeIrqs(toy.irqs, toy.device);
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
  });

  it('R7: running out undoes everything, and the first cause is the error', () => {
    const toy = setUp({ capacity: 4 });
    expect(() => msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 5))).toThrow('/msi@2000: no room (ENOSPC)');
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
    expect(toy.device.msiDescs).toEqual([]);
    expect(toy.journal).toEqual([]);
  });

  it('R7: failing each step of enabling 32 vectors in turn leaves the state as it was', () => {
    const steps = { alloc: 32, bind: 32, write: 32 };
    for (const [step, count] of Object.entries(steps))
      for (let k = 0; k < count; k++) {
        const translation = new ToyTranslation();
        if (step === 'bind') translation.failAt = k;
        const toy = setUp({ capacity: step === 'alloc' ? k : 32 }, translation);
        let writes = 0;
        const specs = vectors(toy, 32).map((spec) => ({
          ...spec,
          hardware: {
            write: ({ address }: { address: number }) => {
              if (step === 'write' && address !== 0 && writes++ === k) throw new LinuxError('EIO', 'device gone');
            },
          },
        }));
        expect(() => msiDomainAllocIrqs(toy.irqs, toy.device, specs)).toThrow(LinuxError);
        expect({ ...stateOf(toy), bound: translation.bound.length, descs: toy.device.msiDescs.length }).toEqual({
          irqs: 0,
          used: 0,
          mapped: [0, 0],
          bound: 0,
          descs: 0,
        });
      }
  });

  it('R7: any sequence of enabling and freeing leaks nothing', () => {
    const step = fc.record({ device: fc.nat(3), nr: fc.integer({ min: 1, max: 12 }), log2: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (sequence) => {
        const toy = toyMsi();
        const domain = toyBusDomain(toy);
        const devices = Array.from({ length: 4 }, (_, i) =>
          toyDevice({ name: `d${i}`, requesterId: i, msiDomain: domain }),
        );
        for (const { device, nr, log2 } of sequence) {
          const target = devices[device];
          if (target.msiDescs.length > 0) msiDomainFreeIrqs(toy.irqs, target);
          else
            try {
              const specs = log2 === 0 ? vectors(toy, nr) : vectors(toy, 1, 2 ** log2);
              msiDomainAllocIrqs(toy.irqs, target, specs);
            } catch (error) {
              if (!LinuxError.is(error, 'ENOSPC')) throw error;
            }
          const live = devices.flatMap((one) => one.msiDescs).reduce((sum, desc) => sum + desc.nrVectors, 0);
          expect(stateOf(toy)).toEqual({ irqs: live, used: live, mapped: [live, live] });
        }
        for (const one of devices) msiDomainFreeIrqs(toy.irqs, one);
        expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
      }),
      { numRuns: runs(100, 2000), seed },
    );
  });
});

/** A device that takes half of the message that it is told to refuse. */
const refusing = (toy: ReturnType<typeof setUp>) => {
  const device = { message: { address: 0, data: 0 }, refuses: 0 };
  const [spec] = vectors(toy, 1);
  const write = ({ address, data }: { address: number; data: number }): void => {
    device.message.address = address;
    if (address === device.refuses) throw new Error('refused');
    device.message.data = data;
  };
  return { device, specs: [{ ...spec, hardware: { write } }] };
};

describe('a write that fails half way', () => {
  const doorbells = [physAddr(0x2040), physAddr(0x2080)];
  const perCpu = () =>
    setUp({
      compose: (data, msg) => {
        const cpu = data.common.effectiveAffinity[0] ?? 0;
        msg.address = doorbells[cpu];
        msg.data = 8 + cpu;
      },
    });

  it('R7, R10: of a first message: the device is left with zero', () => {
    const toy = perCpu();
    const { device, specs } = refusing(toy);
    device.refuses = 0x2040;
    expect(() => msiDomainAllocIrqs(toy.irqs, toy.device, specs)).toThrow('refused');
    expect(device.message).toEqual({ address: 0, data: 0 });
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
  });

  it('R10: of a move: the device is left with the message that it had', () => {
    const toy = perCpu();
    const { device, specs } = refusing(toy);
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, specs);
    toy.irqs.setAffinity(desc.virq, [0]);
    device.refuses = 0x2080;
    expect(() => toy.irqs.setAffinity(desc.virq, [1])).toThrow('refused');
    expect([device.message, desc.msg]).toEqual([
      { address: 0x2040, data: 8 },
      { address: 0x2040, data: 8 },
    ]);
    expect(toy.irqs.irqData(desc.virq).common.effectiveAffinity).toEqual([0]);
  });

  it('a device that takes nothing at all is warned of; the first cause is thrown', () => {
    const toy = perCpu();
    const [spec] = vectors(toy, 1);
    let nr = 0;
    const write = (): void => {
      throw new Error(`refused ${++nr}`);
    };
    expect(() => msiDomainAllocIrqs(toy.irqs, toy.device, [{ ...spec, hardware: { write } }])).toThrow('refused 1');
    expect(toy.warnings).toEqual([
      expect.stringMatching('0000:00:01.0: irq \\d+ is left with half a message: .*refused 2'),
    ]);
  });
});

describe('affinity', () => {
  it('R8: moving an interrupt allocates and maps nothing; an unchanged message is not rewritten', () => {
    const translation = new ToyTranslation();
    const toy = setUp({}, translation);
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    toy.journal.length = 0;
    const before = { ...stateOf(toy), bound: translation.bound.length };
    toy.irqs.setAffinity(desc.virq, [1]);
    expect({ ...stateOf(toy), bound: translation.bound.length }).toEqual(before);
    expect(toy.journal).toEqual(['affinity 0 1']);
    expect(toy.irqs.irqData(desc.virq).common.effectiveAffinity).toEqual([1]);
  });

  it('R8: without a binding it is EINVAL, the message stays, the old processor stays, a warning is recorded', () => {
    const translation = new ToyTranslation();
    const doorbells = [physAddr(0x2040), physAddr(0x7040)];
    const toy = setUp(
      {
        compose: (data, msg) => {
          msg.address = doorbells[data.common.effectiveAffinity[0] ?? 0];
          msg.data = 9;
        },
      },
      translation,
    );
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    toy.irqs.setAffinity(desc.virq, [0]);
    expect(() => toy.irqs.setAffinity(desc.virq, [1])).toThrow('doorbell 0x7040 has no binding (EINVAL)');
    expect(desc.msg).toEqual({ address: 0x800_0040, data: 9 });
    expect(toy.irqs.irqData(desc.virq).common.effectiveAffinity).toEqual([0]);
    expect(toy.warnings).toEqual(['0000:00:01.0: doorbell 0x7040 has no binding']);
  });

  it('R10: moving to another per-CPU doorbell only rewrites the message', () => {
    const translation = new ToyTranslation();
    const doorbells = [physAddr(0x2040), physAddr(0x2080)];
    const percpu: MsiDoorbellInfo = { percpuDoorbells: doorbells, sizeBytes: 4, prot: 0, irqRemapping: false };
    const toy = setUp(
      {
        doorbell: percpu,
        compose: (data, msg) => {
          msg.address = doorbells[data.common.effectiveAffinity[0] ?? 0];
          msg.data = 9;
        },
      },
      translation,
    );
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    expect(desc.msg.address).toBe(0x800_0040);
    toy.irqs.setAffinity(desc.virq, [1]);
    expect(desc.msg.address).toBe(0x800_0080);
    expect(toy.journal).toEqual(['write 0 0x8000040=9', 'affinity 0 1', 'write 0 0x8000080=9']);
    expect(translation.bound).toEqual([percpu]);
  });

  it.each([[[]], [[2]], [[-1]], [[0.5]]])('refuses the processors %j', (cpus) => {
    const toy = setUp();
    const [desc] = msiDomainAllocIrqs(toy.irqs, toy.device, vectors(toy, 1));
    expect(() => toy.irqs.setAffinity(desc.virq, cpus)).toThrow('EINVAL');
  });
});

describe('platform MSI', () => {
  const node = (path: string) => stubNode({ path, mapId: () => ({ controller: MSI_NODE, id: 7 }) });

  it('enables vectors of a device that says how it is programmed', () => {
    const toy = toyMsi();
    const device = new PlatformDevice(toy.irqs, node('/dma@5000'));
    const written: string[] = [];
    const virqs = device.enableMsi(2, (index, msg) =>
      written.push(`${index} 0x${msg.address.toString(16)}=${msg.data}`),
    );
    expect(virqs).toEqual([1, 2]);
    expect(written).toEqual(['0 0x2040=0', '1 0x2040=1']);
    device.disableMsi();
    expect(written.slice(2)).toEqual(['1 0x0=0', '0 0x0=0']);
    expect(stateOf(toy)).toEqual({ irqs: 0, used: 0, mapped: [0, 0] });
  });

  it('gives two devices of one controller hwirqs of their own in one domain', () => {
    const toy = toyMsi();
    const devices = ['/a', '/b'].map((path) => new PlatformDevice(toy.irqs, node(path)));
    const hwirqs = devices.map((device) => toy.irqs.irqData(device.enableMsi(1, () => undefined)[0]).hwirq);
    expect(devices[0].msiDomain).toBe(devices[1].msiDomain);
    expect(hwirqs).toEqual([0, 2048]);
    expect(() => devices[0].enableMsi(2049, () => undefined)).toThrow('EINVAL');
  });

  it('goes with its controller', () => {
    const toy = toyMsi();
    const device = new PlatformDevice(toy.irqs, node('/a'));
    expect(toy.irqs.findDomain(MSI_NODE, 'platform-msi')).toBe(device.msiDomain);
    toy.irqs.removeDomain(toy.parent);
    expect(toy.irqs.findDomain(MSI_NODE, 'platform-msi')).toBeUndefined();
  });
});
