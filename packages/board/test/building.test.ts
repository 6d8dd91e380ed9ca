// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import {
  CPU_IRQS,
  definePlugin,
  DMA,
  DMA_PORTS,
  inject,
  injectable,
  INTERRUPT_PARENT,
  INTERRUPTS,
  LinuxError,
  MODEL_CONTEXT,
  MODEL_LOG,
  NODE,
  physAddr,
  PLUGGED,
  SILICON,
} from '@irqkit/core';
import type {
  Dma,
  DmaPorts,
  FirmwareNode,
  InterruptControllerModel,
  IrqLine,
  Model,
  ModelContext,
  ModelLog,
  Plugin,
  Silicon,
  State,
} from '@irqkit/core';
import { INTC, machine, machineTree, messages, modelAt } from './toys/machine.js';
import { Dev, Intc, Regs, toys } from './toys/models.js';
import { firmware, node, RAM_BASE } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

const intcNode = node('intc@1000', {
  compatible: 'toy,intc',
  reg: [INTC, 0x1000],
  phandle: [1],
  'interrupt-controller': [],
  '#interrupt-cells': [1],
});

@injectable()
class ByToken implements Model {
  readonly frames = [];

  constructor(
    @inject(NODE) readonly node: FirmwareNode,
    @inject(SILICON) readonly silicon: Silicon,
    @inject(DMA) readonly dma: Dma,
    @inject(CPU_IRQS) readonly cpuIrqs: readonly IrqLine[],
    @inject(INTERRUPTS) readonly interrupts: readonly IrqLine[],
    @inject(INTERRUPT_PARENT) readonly interruptParent: InterruptControllerModel,
    @inject(DMA_PORTS) readonly ports: DmaPorts,
    @inject(PLUGGED) readonly plugged: readonly unknown[],
    @inject(MODEL_LOG) readonly log: ModelLog,
    @inject(MODEL_CONTEXT) readonly context: ModelContext,
  ) {
    interrupts[0].set(true);
  }

  save(): State {
    return { version: 1 };
  }

  restore(): void {}
}

const byToken = definePlugin({
  name: 'by-token',
  coreApi: 1,
  models: [{ compatible: ['by-token'], silicon: { A: 1 }, useClass: ByToken }],
});

// The user stands before its controller, so it is deferred once.
const deferring = firmware(
  { nrCpus: 3 },
  node('user', { compatible: 'by-token', 'interrupt-parent': [1], interrupts: [4] }),
  intcNode,
);

test('a class gets each member of its context by token, once its controller stands', () => {
  const board = createBoard({
    firmware: deferring,
    plugins: [byToken, toys],
    plugged: { '/user': ['disk'] },
    silicon: { '/user': { B: 2 } },
  });
  const user = modelAt(board, '/user', ByToken);
  const intc = modelAt(board, '/intc@1000', Intc);
  expect([...board.models.keys()]).toEqual(['/intc@1000', '/user']);
  expect(user.node.path).toBe('/user');
  expect(user.silicon).toEqual({ A: 1, B: 2 });
  expect(user.plugged).toEqual(['disk']);
  expect(user.cpuIrqs).toHaveLength(3);
  expect(user.interruptParent).toBe(intc);
  expect(user.context.controller(user.node.interruptParent!)).toBe(intc);
  expect(user.dma.store(physAddr(RAM_BASE), new Uint8Array([1]))).toBe(true);
  expect(user.ports.port(0).requester.requesterId).toBe(0);
  user.log.unimp('%s wants 0x%x and %d', 'it', 255, 3);
  expect(messages(board)).toEqual(['/user: it wants 0xff and 3']);
});

test('a wire that a constructor raises reaches its controller, and only once for a deferred one', () => {
  const board = createBoard({ firmware: deferring, plugins: [byToken, toys] });
  const intc = modelAt(board, '/intc@1000', Intc);
  expect([...intc.levels]).toEqual([[4, true]]);
  modelAt(board, '/user', ByToken).interrupts[0].set(false);
  expect([...intc.levels]).toEqual([[4, false]]);
});

test('models that wait for one another: EPROBE_DEFER says who waits for whom', () => {
  const waiter = (compatible: string, path: string) => ({
    compatible: [compatible],
    useFactory: (context: ModelContext): Model => {
      context.controller(tree.find(path)!);
      throw new Error('unreachable');
    },
  });
  const tree = firmware({}, node('a', { compatible: 'a' }), node('b', { compatible: 'b' }));
  const plugin = definePlugin({ name: 'circle', coreApi: 1, models: [waiter('a', '/b'), waiter('b', '/a')] });
  expectError(
    () => createBoard({ firmware: tree, plugins: [plugin] }),
    'EPROBE_DEFER',
    /\/a waits: \/a: \/b is not built yet[^]*\/b waits: \/b: \/a is not built yet/,
  );
});

test('the most specific compatible decides, whatever the order of plugins; two claims to it are EEXIST', () => {
  const specific = definePlugin({
    name: 'specific',
    coreApi: 1,
    models: [{ compatible: ['vendor,regs-v2'], silicon: { ID: 99 }, useFactory: (context) => new Regs(context) }],
  });
  for (const plugins of [
    [toys, specific],
    [specific, toys],
  ]) {
    const board = createBoard({ firmware: machineTree(), plugins });
    expect(modelAt(board, '/regs@2000', Regs).context.silicon).toEqual({ ID: 99 });
    expect(board.models.size).toBe(5);
  }
  const twin: Plugin = { ...specific, name: 'twin' };
  expectError(
    () => createBoard({ firmware: machineTree(), plugins: [specific, twin] }),
    'EEXIST',
    /vendor,regs-v2.*specific.*twin/,
  );
});

test("silicon: the board's values over the plugin's profile, frozen, and only for nodes there are", () => {
  const { regs } = machine({}, { silicon: { '/regs@2000': { REV: 2, EXTRA: 3 } } });
  expect(regs.context.silicon).toEqual({ ID: 7, REV: 2, EXTRA: 3 });
  expect(Object.isFrozen(regs.context.silicon)).toBe(true);
  expect(machine().regs.context.silicon).toEqual({ ID: 7, REV: 1 });
  expectError(() => machine({}, { silicon: { '/nowhere': {} } }), 'ENODEV', /^\/nowhere: silicon/);
  expectError(() => machine({}, { plugged: { '/cpus': [] } }), 'ENODEV', /^\/cpus: /);
});

test('disabled nodes, and nodes below them, have no model', () => {
  const tree = firmware(
    {},
    node('off@1000', { compatible: 'toy,regs', reg: [0x1000, 0x100], status: 'disabled' }),
    node(
      'bus',
      { status: 'disabled', '#address-cells': [1], '#size-cells': [1], ranges: [] },
      node('regs@2000', { compatible: 'toy,regs', reg: [0x2000, 0x100] }),
    ),
    node('on@3000', { compatible: 'toy,regs', reg: [0x3000, 0x100], status: 'okay' }),
  );
  expect([...createBoard({ firmware: tree, plugins: [toys] }).models.keys()]).toEqual(['/on@3000']);
});

test('whichever constructor fails, every model before it is disposed, last first, and the error is its own', () => {
  const nrModels = 5;
  for (let failing = 0; failing < nrModels; failing++) {
    const disposed: string[] = [];
    let built = 0;
    const plugin = definePlugin({
      name: 'failing',
      coreApi: 1,
      models: [
        {
          compatible: ['regs'],
          useFactory: (context) => {
            if (built++ === failing) throw new LinuxError('ENOSPC', `${context.node.path}: full`);
            return Object.assign(new Regs(context), { dispose: () => disposed.push(context.node.name) });
          },
        },
      ],
    });
    const nodes = Array.from({ length: nrModels }, (_, i) =>
      node(`r${i}`, { compatible: 'regs', reg: [0x1000 * (i + 1), 0x100] }),
    );
    expectError(
      () => createBoard({ firmware: firmware({}, ...nodes), plugins: [plugin] }),
      'ENOSPC',
      new RegExp(`^/r${failing}: full`),
    );
    const standing = Array.from({ length: failing }, (_, i) => `r${i}`);
    expect(disposed).toEqual(standing.reverse());
  }
});

test('an overlap found at the end disposes every model', () => {
  const disposed: string[] = [];
  const plugin = definePlugin({
    name: 'disposing',
    coreApi: 1,
    models: [
      {
        compatible: ['regs'],
        useFactory: (context) => Object.assign(new Regs(context), { dispose: () => disposed.push(context.node.name) }),
      },
    ],
  });
  const at = (name: string, base: number) => node(name, { compatible: 'regs', reg: [base, 0x100] });
  const tree = firmware({}, at('a', 0x1000), at('b', 0x2000), at('c', 0x10ff));
  expectError(() => createBoard({ firmware: tree, plugins: [plugin] }), 'EEXIST', /\/c.*\/a/);
  expect(disposed).toEqual(['c', 'b', 'a']);
});

test('after dispose nothing answers, not even what was mapped; twice is once', () => {
  const { board, regs, dev, map } = machine();
  const region = map(0x2000);
  region.write(0, 5, 4);
  const port = dev.port(0);
  expect(port.write32(0x2000, 6)).toBe(true);
  board.dispose();
  board.dispose();
  expect(regs.disposed).toBe(1);
  expect(region.read(0, 4)).toBe(0xffff_ffff);
  expect(port.write32(0x2000, 7)).toBe(false);
  expectError(() => map(0x2000), 'ENXIO', /0x2000/);
});

test('two boards of one firmware and the same plugins share nothing', () => {
  const tree = machineTree();
  const [one, other] = [0, 1].map(() => createBoard({ firmware: tree, plugins: [toys] }));
  one.access.write(physAddr(0x2000), 1, 4, 0);
  one.access.write(physAddr(RAM_BASE), 1, 4, 0);
  one.access.write(physAddr(INTC + 4), 1, 4, 0);
  const buffer = one.bus.memory.alloc(0x1000);
  expect(other.bus.memory.alloc(0x1000).base).toBe(buffer.base);
  expect(other.access.read(physAddr(0x2000), 4, 0)).toBe(0);
  expect(other.access.read(physAddr(RAM_BASE), 4, 0)).toBe(0);
  expect([one.bus.cpus.irqAsserted(1), other.bus.cpus.irqAsserted(1)]).toEqual([true, false]);
  one.dispose();
  expect(modelAt(other, '/dev@3000', Dev).port(0).write32(0x2000, 9)).toBe(true);
});

test('the log keeps the newest 1024 messages and counts all', () => {
  const { board, regs } = machine();
  for (let i = 0; i < 1500; i++) regs.context.log.guest('message %d', i);
  expect(board.log.total).toBe(1500);
  expect(board.log.entries).toHaveLength(1024);
  expect(board.log.entries[0].message).toBe('message 476');
  expect(board.log.entries.at(-1)).toMatchObject({ kind: 'guest', path: '/regs@2000', message: 'message 1499' });
});
