// SPDX-License-Identifier: Apache-2.0
import {
  BUS,
  CORE_API,
  DEVRES,
  ERRNO,
  INTERRUPT_PARENT,
  LinuxError,
  NODE,
  PROBE_CONTEXT,
  createHost,
  definePlugin,
  inject,
  injectable,
  physAddr,
  probeNodes,
} from '@irqkit/core';
import type { Bus, Devres, FirmwareNode, Plugin, ProbeContext, Region } from '@irqkit/core';
import { StubCpus, stubBus, stubFirmware, stubNode } from './stub-machine.js';

const node = (path: string, ...compatible: string[]): FirmwareNode =>
  stubNode({ path, compatible, regs: [{ base: physAddr(0x1000), sizeBytes: 0x100 }] });

const plugin = (name: string, compatible: string, probe: (context: ProbeContext) => object): Plugin =>
  definePlugin({ name, coreApi: CORE_API, irqChips: [{ compatible: [compatible], useFactory: probe }] });

const hostOf = (nodes: FirmwareNode[], plugins: Plugin[], cpus = new StubCpus(1), mapped: Region[] = []) =>
  createHost({ firmware: stubFirmware(...nodes), plugins, bus: stubBus(cpus, mapped) });

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('definePlugin', () => {
  it('freezes, and refuses another API or an entry that claims nothing', () => {
    const made = plugin('a', 'acme,a', () => ({}));
    expect(Object.isFrozen(made)).toBe(true);
    expect(() => definePlugin({ name: 'b', coreApi: CORE_API + 1 })).toThrow('b: written for core API 2, this is 1');
    const empty = { name: 'c', coreApi: CORE_API, irqChips: [{ compatible: [], useFactory: () => ({}) }] };
    expect(() => definePlugin(empty)).toThrow('EINVAL');
  });
});

describe('matching', () => {
  it("follows the node's list, most specific first, whatever the order of plugins", () => {
    const general = plugin('general', 'arm,gic-400', () => ({ by: 'general' }));
    const special = plugin('special', 'acme,gic', () => ({ by: 'special' }));
    for (const plugins of [
      [general, special],
      [special, general],
    ])
      expect(hostOf([node('/gic', 'acme,gic', 'arm,gic-400')], plugins).drivers[0].instance).toEqual({ by: 'special' });
  });

  it('leaves out nodes that are not available or that nobody claims', () => {
    const off = stubNode({ path: '/off', compatible: ['x'], available: false });
    expect(hostOf([off, node('/other', 'y')], [plugin('p', 'x', () => ({}))]).drivers).toEqual([]);
  });

  it('R25: two claims to one string are EEXIST, naming both plugins', () => {
    const plugins = ['a', 'b'].map((name) => plugin(name, 'x', () => ({})));
    expect(() => hostOf([], plugins)).toThrow('"x" is claimed by a and by b (EEXIST)');
  });
});

describe('probing', () => {
  it('injects by token', () => {
    @injectable()
    class Probe {
      constructor(
        @inject(NODE) readonly node: FirmwareNode,
        @inject(BUS) readonly bus: Bus,
        @inject(DEVRES) readonly devres: Devres,
        @inject(PROBE_CONTEXT) readonly context: ProbeContext,
      ) {}
    }
    const made = definePlugin({ name: 'p', coreApi: 1, irqChips: [{ compatible: ['x'], useClass: Probe }] });
    const { instance } = hostOf([node('/a', 'x')], [made]).drivers[0];
    expect(instance).toBeInstanceOf(Probe);
    const probe = instance as Probe;
    expect(probe.node.path).toBe('/a');
    expect(probe.context.devres).toBe(probe.devres);
    expect(probe.context.bus).toBe(probe.bus);
  });

  it('keeps the errno of what an injected member throws', () => {
    @injectable()
    class Child {
      constructor(@inject(INTERRUPT_PARENT) readonly parent: unknown) {}
    }
    interface Context {
      readonly interruptParent: unknown;
    }
    const probe = () =>
      probeNodes<object, Context>({
        candidates: [{ node: node('/child', 'x'), plugin: 'p', maker: { useClass: Child } }],
        contextOf: () => ({
          get interruptParent(): unknown {
            throw new LinuxError('ENXIO', '/child: parent is gone');
          },
        }),
        tokens: [[INTERRUPT_PARENT, 'interruptParent']],
        contextToken: Symbol('context'),
      });
    expect(thrownBy(probe)).toMatchObject({ code: 'ENXIO', errno: ERRNO.ENXIO });
  });

  it('tries again what must wait for a supplier', () => {
    const order: string[] = [];
    const user = plugin('user', 'user', ({ irqs, node: { path } }) => {
      order.push(`try ${path}`);
      irqs.requireDomain(supplierNode, 'wired');
      order.push(`user ${path}`);
      return {};
    });
    const supplier = plugin('supplier', 'supplier', ({ irqs, node: own }) => {
      const ops = { alloc: () => undefined, free: () => undefined };
      irqs.createDomain({ name: 'd', node: own, busToken: 'wired', ops });
      order.push('supplier');
      return {};
    });
    const supplierNode = node('/supplier', 'supplier');
    const host = hostOf([node('/user', 'user'), supplierNode], [user, supplier]);
    expect(order).toEqual(['try /user', 'supplier', 'try /user', 'user /user']);
    expect(host.drivers.map(({ node: { path } }) => path)).toEqual(['/supplier', '/user']);
  });

  it('reports who waits for whom when nothing moves, and undoes the rest', () => {
    const released: string[] = [];
    const nodes = [node('/fine', 'fine'), node('/a', 'a'), node('/b', 'b')];
    const waiter = (compatible: string, target: FirmwareNode) =>
      plugin(compatible, compatible, ({ irqs }) => irqs.requireDomain(target, 'wired'));
    const fine = plugin('fine', 'fine', ({ devres }) => {
      devres.add(() => released.push('fine'));
      return {};
    });
    const build = () => hostOf(nodes, [fine, waiter('a', nodes[2]), waiter('b', nodes[1])]);
    expect(build).toThrow(/\/a waits: \/b: no wired domain yet.*\n.*\/b waits: \/a: no wired domain yet/);
    expect(thrownBy(build)).toMatchObject({ code: 'EPROBE_DEFER' });
    expect(released).toEqual(['fine', 'fine']);
  });

  it('unwinds in reverse what a failing constructor took, and what stood before it', () => {
    const released: string[] = [];
    const take = (name: string, { devres }: ProbeContext) => devres.add(() => released.push(name));
    const good = plugin('good', 'good', (context) => {
      take('good', context);
      return {};
    });
    const bad = plugin('bad', 'bad', (context) => {
      take('first', context);
      context.ioremap(0);
      take('second', context);
      throw new LinuxError('EINVAL', '/bad: MSI_TYPER makes no sense');
    });
    const mapped: Region[] = [];
    const cpus = new StubCpus(1);
    expect(() => hostOf([node('/good', 'good'), node('/bad', 'bad')], [good, bad], cpus, mapped)).toThrow(
      '/bad: MSI_TYPER makes no sense (EINVAL)',
    );
    expect(released).toEqual(['second', 'first', 'good']);
    expect(mapped).toEqual([]);
    expect(cpus.nrListeners).toBe(0);
  });
});

describe('teardown', () => {
  it('undoes probes in reverse, once, and runs every release even when one throws', () => {
    const released: string[] = [];
    const one = plugin('p', 'x', ({ node: { path }, devres }) => {
      devres.add(() => {
        released.push(path);
        if (path === '/b') throw new Error('stuck');
      });
      return {};
    });
    const cpus = new StubCpus(1);
    const host = hostOf([node('/a', 'x'), node('/b', 'x'), node('/c', 'x')], [one], cpus);
    expect(() => host.teardown()).toThrow(AggregateError);
    expect(released).toEqual(['/c', '/b', '/a']);
    expect(cpus.nrListeners).toBe(0);
    host.teardown();
    expect(released).toHaveLength(3);
  });

  it('two hosts share nothing', () => {
    const taken = new Set<unknown>();
    const one = plugin('p', 'x', ({ irqs, doorbells, devices, devres, log }) => {
      for (const service of [irqs, doorbells, devices, devres, log]) taken.add(service);
      log.warn('seen');
      return {};
    });
    const hosts = [0, 1].map(() => hostOf([node('/a', 'x')], [one]));
    expect(taken.size).toBe(10);
    expect(hosts.map(({ log }) => log.warnings)).toEqual([['seen'], ['seen']]);
  });
});

describe('LinuxError', () => {
  it('ends with the code and is known by its brand', () => {
    const error = new LinuxError('ENOSPC', '/its@8080000: no room for DeviceID 0x100');
    expect(error.message).toBe('/its@8080000: no room for DeviceID 0x100 (ENOSPC)');
    expect([LinuxError.is(error), LinuxError.is(error, 'ENOSPC'), LinuxError.is(error, 'EIO')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(LinuxError.is(new Error('x'))).toBe(false);
  });
});
