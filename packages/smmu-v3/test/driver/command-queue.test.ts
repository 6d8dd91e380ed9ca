// SPDX-License-Identifier: Apache-2.0
// The command queue and GERROR, seen through what the driver does: order, wrapping, a full queue, refusals and a hung SMMU.

import type { Device, IommuDomainOps, IommuOps, Iova, PhysAddr } from '@irqkit/core';
import { caught } from '@irqkit-test/caught';
import { OPCODE } from './fake-smmu.js';
import type { Command } from './fake-smmu.js';
import { Rig, unmap } from './rig.js';
import type { RigOptions } from './rig.js';

/** A queue of 128 commands, no ranges. */
const SMALL = { 0x04: 0xe8_0010, 0x0c: 0 };

interface Machine {
  readonly rig: Rig;
  readonly ops: IommuOps;
  readonly device: Device;
  readonly domain: IommuDomainOps;
}

function machine(options: RigOptions = {}): Machine {
  const rig = new Rig({ idr: SMALL, ...options });
  const { ops } = rig.start();
  const device = rig.device(ops, 'device', 8);
  const domain = ops.allocDomain('dma');
  domain.attach(device);
  domain.mapPages(0x20_0000 as Iova, 0x20_0000 as PhysAddr, 0x1000, 1024, 3);
  return { rig, ops, device, domain };
}

const isTlbi = ({ opcode }: Command): boolean => opcode === OPCODE.TLBI_NH_VA;

describe('the queue', () => {
  test('wraps: each command once, in order, in the next slot', () => {
    const { rig, domain } = machine();
    const from = rig.smmu.commands.length;
    for (let page = 0; page < 400; page++) unmap(domain, 0x20_0000 + page * 0x1000, 0x1000, 1);
    const commands = rig.smmu.commands.slice(from);
    expect(commands.filter(isTlbi).map(({ hi }) => Number(hi >> 12n))).toEqual(
      Array.from({ length: 400 }, (_, page) => 0x200 + page),
    );
    expect(commands.map(({ slot }) => slot)).toEqual(commands.map((_, n) => (from + n) % 128));
  });

  test('full: it waits for slots, and nothing is lost', () => {
    const { rig, domain } = machine();
    const { smmu } = rig;
    // Consumes nothing until it is asked often enough.
    let asked = 0;
    smmu.verdict = () => 'hang';
    const read = smmu.read.bind(smmu);
    smmu.read = (offset, size) => {
      if (offset === 0x9c && ++asked === 50) smmu.wake();
      return read(offset, size);
    };
    const from = smmu.commands.length;
    expect(unmap(domain, 0x20_0000, 0x1000, 300)).toBe(300 * 0x1000);
    expect(
      smmu.commands
        .slice(from)
        .filter(isTlbi)
        .map(({ hi }) => Number(hi >> 12n)),
    ).toEqual(Array.from({ length: 300 }, (_, page) => 0x200 + page));
    expect(rig.warnings).toEqual([]);
  });

  test('full for good: ETIMEDOUT, which says what is not issued; the SMMU is never told of more than there is', () => {
    const { rig, domain, ops } = machine();
    rig.smmu.verdict = () => 'hang';
    rig.smmu.tracing = false;
    unmap(domain, 0x20_0000, 0x1000, 300);
    expect(rig.warnings).toEqual([
      expect.stringMatching(
        /^\/smmuv3@9050000: no slot for CMD_TLBI_NH_VA ASID=0x1 Leaf=0x1 Address=0x[0-9a-f]+: the queue stays full \(ETIMEDOUT\)$/,
      ),
    ]);
    const told = rig.smmu.get(0x98);
    const done = rig.smmu.get(0x9c);
    expect((told - done) & 0xff).toBeLessThanOrEqual(128);
    expect(caught(() => ops.allocDomain('identity').attach(rig.device(ops, 'other', 9))).message).toBe(
      '/smmuv3@9050000: no slot for CMD_CFGI_STE StreamID=0x9 Leaf=0x1: the queue stays full (ETIMEDOUT)',
    );
    expect(rig.smmu.ste(9)?.[0]).toBe(0x1n);
    // It wakes up: what was queued is done, and all goes on.
    rig.smmu.wake();
    const from = rig.smmu.commands.length;
    domain.flushIotlbAll();
    expect(rig.commandsSince(from)).toEqual(['1000000000011:0', 'fc02046:0']);
  });

  test('a hung SMMU is asked once only, until it has caught up', () => {
    const { rig, domain } = machine();
    rig.smmu.verdict = () => 'hang';
    const asked = (): number => rig.smmu.trace.filter(({ op, offset }) => op === 'r' && offset === 0x9c).length;
    domain.flushIotlbAll();
    const from = asked();
    expect(from).toBeGreaterThan(100_000);
    domain.flushIotlbAll();
    expect(asked() - from).toBe(1);
    rig.smmu.wake();
    domain.flushIotlbAll();
    expect(asked() - from).toBe(2);
    expect(rig.warnings).toHaveLength(2);
  });
});

describe('a command that the SMMU refuses', () => {
  test('is named, becomes a SYNC, and the rest is done; GERROR is acknowledged', () => {
    const { rig, domain } = machine();
    rig.smmu.verdict = ({ opcode, hi }) => (opcode === OPCODE.TLBI_NH_VA && hi >> 12n === 0x202n ? 'refuse' : 'take');
    const from = rig.smmu.commands.length;
    unmap(domain, 0x20_0000, 0x1000, 5);
    const done = rig.commandsSince(from);
    expect(done[2]).toBe('fc02046:0');
    expect(done).toHaveLength(6);
    expect(rig.warnings[0]).toBe(
      `/smmuv3@9050000: CMD_TLBI_NH_VA ASID=0x1 Leaf=0x1 Address=0x202000 in slot ${from + 2}: the SMMU refuses the command (EIO)`,
    );
    expect(rig.smmu.get(0x60)).toBe(rig.smmu.get(0x64));
  });

  test('likewise where no interrupt comes', () => {
    const { rig, ops, device } = machine({ interruptNames: [] });
    rig.smmu.verdict = ({ opcode }) => (opcode === OPCODE.CFGI_STE ? 'refuse' : 'take');
    expect(caught(() => ops.allocDomain('identity').attach(device)).message).toMatch(
      /^\/smmuv3@9050000: CMD_CFGI_STE StreamID=0x8 Leaf=0x1 in slot \d+: the SMMU refuses the command \(EIO\)$/,
    );
    rig.smmu.verdict = () => 'take';
    ops.allocDomain('identity').attach(device);
  });

  test('that nobody waits for: a line in the log', () => {
    const { rig, ops, device } = machine();
    rig.smmu.verdict = ({ opcode }) => (opcode === OPCODE.PREFETCH_CONFIG ? 'refuse' : 'take');
    ops.allocDomain('dma').attach(device);
    expect(rig.warnings).toEqual([
      expect.stringMatching(/^\/smmuv3@9050000: CMD_PREFETCH_CONFIG StreamID=0x8 in slot \d+: the SMMU refuses/),
    ]);
    expect((rig.smmu.ste(8)?.[0] ?? 0n) & 0xfn).toBe(0xbn);
  });

  test('that cannot be fetched is tried again, and reported once', () => {
    const { rig, domain } = machine();
    let left = 5;
    rig.smmu.verdict = () => (left-- > 0 ? 'abort' : 'take');
    domain.flushIotlbAll();
    expect(rig.warnings).toEqual([
      expect.stringMatching(/CMD_TLBI_NH_ASID ASID=0x1 in slot \d+: the SMMU cannot fetch the command \(EIO\)$/),
    ]);
  });

  test('that can never be fetched: ETIMEDOUT', () => {
    const { rig, ops, device } = machine();
    rig.smmu.verdict = () => 'abort';
    rig.smmu.tracing = false;
    expect(caught(() => ops.allocDomain('identity').attach(device)).code).toBe('ETIMEDOUT');
    expect(rig.warnings.length).toBeLessThan(10);
  });
});

describe('other global errors', () => {
  test('are said and acknowledged', () => {
    const { rig } = machine();
    rig.smmu.raise(0xfc);
    expect(rig.warnings).toEqual([
      '/smmuv3@9050000: the MSI of a global error was aborted',
      '/smmuv3@9050000: the MSI of a page request was aborted',
      '/smmuv3@9050000: the MSI of an event was aborted',
      '/smmuv3@9050000: the MSI of a SYNC was aborted',
      '/smmuv3@9050000: a write of the page request queue was aborted: requests may be lost',
      '/smmuv3@9050000: a write of the event queue was aborted: events may be lost',
    ]);
    expect(rig.smmu.get(0x64)).toBe(0xfc);
  });

  test('a service failure disables the SMMU', () => {
    const { rig } = machine();
    rig.smmu.raise(0x100);
    expect(rig.warnings).toEqual(['/smmuv3@9050000: the SMMU is in Service Failure Mode']);
    expect([rig.smmu.get(0x20), rig.smmu.get(0x64)]).toEqual([0, 0x100]);
  });

  test('an interrupt without an error is not its own', () => {
    const { rig } = machine();
    rig.raise('gerror');
    expect(rig.warnings).toEqual([]);
    expect(rig.irqs.all.map(({ unhandled }) => unhandled)).toEqual([0, 1]);
  });
});
