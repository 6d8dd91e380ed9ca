// SPDX-License-Identifier: Apache-2.0
import { DOORBELL_PROT, DoorbellRegistry, IRQ_DOMAIN_FLAG, LinuxError, lookupDoorbell, physAddr } from '@irqkit/core';
import type { MsiDoorbellInfo, PhysAddr } from '@irqkit/core';
import { ROOT_NODE, TOY_DOORBELL, toyDevice, toyMsi, toyRoot } from './toy-controllers.js';

const facts = { sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true };
const global = (base: number, more: Partial<typeof facts> = {}): MsiDoorbellInfo => ({
  globalDoorbell: base as PhysAddr,
  ...facts,
  ...more,
});
const percpu = (...bases: number[]): MsiDoorbellInfo => ({ percpuDoorbells: bases as PhysAddr[], ...facts });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (LinuxError.is(error)) return error.code;
    throw error;
  }
  return 'none';
};

describe('R1: registering doorbells', () => {
  it('R1: register returns a handle that unregister takes, once', () => {
    const registry = new DoorbellRegistry(2);
    const handle = registry.register(global(0x802_0040));
    expect(registry.all).toEqual([global(0x802_0040)]);
    registry.unregister(handle);
    expect(registry.all).toEqual([]);
    expect(codeOf(() => registry.unregister(handle))).toBe('ENOENT');
  });

  it.each([
    ['zero size', global(0x1000, { sizeBytes: 0 })],
    ['a negative size', global(0x1000, { sizeBytes: -4 })],
    ['a negative base', global(-4)],
    ['a base past 2^52', global(2 ** 52)],
    ['a span that passes 2^52', global(2 ** 52 - 2)],
    ['a fraction', global(4096.5)],
    ['NaN', global(Number.NaN)],
    ['too few per-CPU bases', percpu(0x1000)],
    ['too many per-CPU bases', percpu(0x1000, 0x2000, 0x3000)],
    ['per-CPU bases that overlap', percpu(0x1000, 0x1002)],
  ])('R1: %s is EINVAL and registers nothing', (_what, info) => {
    const registry = new DoorbellRegistry(2);
    expect(codeOf(() => registry.register(info))).toBe('EINVAL');
    expect(registry.all).toHaveLength(0);
  });

  it('R1: an overlap with a registered doorbell is EEXIST, touching is none', () => {
    const registry = new DoorbellRegistry(2);
    registry.register(percpu(0x1000, 0x2000));
    expect(codeOf(() => registry.register(global(0x2003)))).toBe('EEXIST');
    expect(codeOf(() => registry.register(global(0x0ffd)))).toBe('EEXIST');
    expect(codeOf(() => registry.register(global(0x2004)))).toBe('none');
  });

  it('R1: what a caller changes afterwards changes nothing here', () => {
    const registry = new DoorbellRegistry(1);
    const info = { ...global(0x1000) };
    registry.register(info);
    Object.assign(info, { sizeBytes: 0 });
    expect(registry.all[0].sizeBytes).toBe(4);
  });
});

describe('R2: pages', () => {
  it('R2: sums the pages of every doorbell, with its offset in the page', () => {
    const registry = new DoorbellRegistry(2);
    expect(registry.pages(12)).toBe(0);
    registry.register(global(0x1ffe));
    expect(registry.pages(12)).toBe(2);
    expect(registry.pages(16)).toBe(1);
    registry.register(global(0x1000));
    expect(registry.pages(12)).toBe(3);
    expect(registry.pages(16)).toBe(2);
    registry.register(percpu(0x10_0000, 0x20_0000));
    expect(registry.pages(12)).toBe(5);
    registry.register(global(0x40_0000, { sizeBytes: 0x1_0000 }));
    expect(registry.pages(12)).toBe(21);
    expect(registry.pages(16)).toBe(5);
  });

  it('R2: per-CPU bases in one page count each', () => {
    const registry = new DoorbellRegistry(2);
    registry.register(percpu(0x1000, 0x1100));
    expect(registry.pages(12)).toBe(2);
  });

  it('R2: a group counts the distinct pages that its devices can reach', () => {
    const registry = new DoorbellRegistry(2);
    registry.register(TOY_DOORBELL);
    registry.register(global(0x9_0000));
    const { parent } = toyMsi();
    const devices = ['a', 'b'].map((name) => toyDevice({ name, msiDomain: parent }));
    expect(registry.pages(12, { id: 0, devices: [...devices, toyDevice({ name: 'mute' })] })).toBe(1);
    expect(registry.pages(12, { id: 1, devices: [] })).toBe(0);
    const straddling = toyMsi({ doorbell: percpu(0x1ffe, 0x3000) });
    expect(registry.pages(12, { id: 2, devices: [toyDevice({ name: 'c', msiDomain: straddling.parent })] })).toBe(3);
  });

  it('R2: an order that is no page size is EINVAL', () => {
    const registry = new DoorbellRegistry(1);
    expect([-1, 1.5, 52].map((order) => codeOf(() => registry.pages(order)))).toEqual(['EINVAL', 'EINVAL', 'EINVAL']);
  });
});

describe('R3: safety', () => {
  it('R3: safe until a doorbell without remapping is registered', () => {
    const registry = new DoorbellRegistry(1);
    expect(registry.safe()).toBe(true);
    registry.register(global(0x808_0040));
    expect(registry.safe()).toBe(true);
    const handle = registry.register(global(0x802_0040, { irqRemapping: false }));
    expect(registry.safe()).toBe(false);
    registry.unregister(handle);
    expect(registry.safe()).toBe(true);
  });

  it('R3: each device has the answer of the MSI domain it uses', () => {
    const registry = new DoorbellRegistry(1);
    registry.register(global(0x802_0040, { irqRemapping: false }));
    const isolated = toyMsi({ flags: IRQ_DOMAIN_FLAG.ISOLATED_MSI });
    const shared = toyMsi();
    expect(registry.hasIsolatedMsi(toyDevice({ name: 'its', msiDomain: isolated.parent }))).toBe(true);
    expect(registry.hasIsolatedMsi(toyDevice({ name: 'v2m', msiDomain: shared.parent }))).toBe(false);
    expect(registry.hasIsolatedMsi(toyDevice({ name: 'none' }))).toBe(false);
  });
});

describe('R4: the doorbell of an interrupt', () => {
  it('R4: the walk goes from the device to the root and stops at the first chip that names one', () => {
    const inner: MsiDoorbellInfo = global(0x5000);
    const { irqs, root } = toyRoot();
    const named = (name: string, info: MsiDoorbellInfo | undefined) => ({ name, msiDoorbellInfo: () => info });
    const chips = [named('device', undefined), named('near', global(0x6000)), named('far', inner)];
    const far = irqs.createDomain({
      name: 'far',
      node: undefined,
      busToken: 'far',
      parent: root,
      ops: {
        alloc(domain, virq, nr) {
          domain.allocParent(virq, nr, { hwirq: 5 });
          domain.setInfo(virq, 5, chips[2]);
        },
        free: () => undefined,
      },
    });
    const stack = (name: string, parent: typeof far, chip: (typeof chips)[number]) =>
      irqs.createDomain({
        name,
        node: undefined,
        busToken: name,
        parent,
        ops: {
          alloc(domain, virq, nr, info) {
            domain.allocParent(virq, nr, info);
            domain.setInfo(virq, 1, chip);
          },
          free: () => undefined,
        },
      });
    const near = stack('near', far, chips[1]);
    const device = stack('device', near, chips[0]);
    const data = irqs.irqData(irqs.allocIrqs(device, 1, {}));
    expect(lookupDoorbell(data)).toEqual(global(0x6000));
    expect(lookupDoorbell(data.parent!.parent!)).toBe(inner);
  });

  it('R4: a wired interrupt has none', () => {
    const { irqs } = toyRoot();
    const virq = irqs.createMapping({ controller: ROOT_NODE, args: [4, 1] });
    expect(lookupDoorbell(irqs.irqData(virq))).toBeUndefined();
  });
});

describe('addresses', () => {
  it('are refused outside 52 bits', () => {
    expect(codeOf(() => physAddr(2 ** 52))).toBe('ERANGE');
    expect(physAddr(2 ** 52 - 1)).toBe(2 ** 52 - 1);
  });
});
