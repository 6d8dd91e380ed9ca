// SPDX-License-Identifier: Apache-2.0
// The command queue seen through what it does for vectors: order, wrap-around, refusals, an ITS that hangs and wakes up.

import type { Host } from '@irqkit/core';
import type { GicV3ItsDriver } from '@irqkit/gic-v3-its';
import { caught } from '@irqkit-test/caught';
import type { FakeIts } from './fake-its.js';
import { Rig } from './rig.js';

const NODE = '/intc@8000000/its@8080000';
const handler = (): boolean => true;

function started(): { rig: Rig; host: Host; its: FakeIts; driver: GicV3ItsDriver } {
  const rig = new Rig();
  const host = rig.start();
  const driver = host.drivers.find(({ node }) => node.path === NODE)?.instance as GicV3ItsDriver;
  return { rig, host, its: rig.its[0], driver };
}

/** What the ITS was told from command `from` on. */
function told(its: FakeIts, from: number): readonly string[] {
  return its.commands.slice(from).map(({ name, deviceId, eventId, icid, rdbase, valid }) => {
    switch (name) {
      case 'SYNC':
        return `SYNC ${rdbase >> 16n}`;
      case 'MAPD':
        return `MAPD ${deviceId} V=${valid ? 1 : 0}`;
      case 'MAPTI':
      case 'MOVI':
        return `${name} ${deviceId}/${eventId} to ${icid}`;
      default:
        return `${name} ${deviceId}/${eventId}`;
    }
  });
}

describe('order', () => {
  test("a vector's life is Linux's sequence of commands", () => {
    const { rig, host, its, driver } = started();
    const device = rig.device(host, 0x18);
    const from = its.commands.length;
    const [virq] = device.enable(1);
    expect(told(its, from)).toEqual(['MAPD 24 V=1', 'MAPTI 24/0 to 0', 'SYNC 0']);
    host.irqs.requestIrq(virq, handler, 'test');
    driver.setPending(virq, true);
    driver.setPending(virq, false);
    host.irqs.setAffinity(virq, [1]);
    host.irqs.freeIrq(virq, handler);
    device.disable();
    expect(told(its, from + 3)).toEqual([
      ...['INV 24/0', 'SYNC 0'],
      ...['INT 24/0', 'SYNC 0'],
      ...['CLEAR 24/0', 'SYNC 0'],
      ...['MOVI 24/0 to 1', 'SYNC 0'],
      ...['INV 24/0', 'SYNC 1'],
      ...['DISCARD 24/0', 'SYNC 1'],
      'MAPD 24 V=0',
    ]);
  });

  test('the configuration byte stands before INV is issued', () => {
    const { rig, host, its } = started();
    const [virq] = rig.device(host, 0x18).enable(1);
    host.irqs.requestIrq(virq, handler, 'test');
    expect(its.known.get(8192)).toBe(0xa3);
    host.irqs.disable(virq);
    expect(its.known.get(8192)).toBe(0xa2);
  });

  test('an interrupt that is not activated is not told of', () => {
    const { rig, host, its, driver } = started();
    const [virq] = rig.device(host, 0x18).enable(1);
    host.irqs.deactivate(virq);
    const from = its.commands.length;
    host.irqs.enable(virq);
    host.irqs.setAffinity(virq, [1]);
    expect(told(its, from)).toEqual([]);
    expect(caught(() => driver.setPending(virq, true)).message).toBe(`${NODE}: LPI 8192 is not mapped (EINVAL)`);
    host.irqs.activate(virq);
    expect(told(its, from)).toEqual(['MAPTI 24/0 to 1', 'SYNC 1']);
  });

  test('2500 commands go twice around the ring', () => {
    const { rig, host, its, driver } = started();
    const [virq] = rig.device(host, 0x18).enable(1);
    const from = its.commands.length;
    for (let i = 0; i < 2500; i++) driver.setPending(virq, i % 2 === 0);
    const rest = told(its, from);
    expect(rest).toHaveLength(5000);
    expect(rest.filter((_, i) => i % 4 === 0).every((text) => text === 'INT 24/0')).toBe(true);
    expect(rest.filter((_, i) => i % 4 === 2).every((text) => text === 'CLEAR 24/0')).toBe(true);
    expect(its.slot).toBe((from + 5000) % 2048);
  });

  test('redistributors are named by address where GITS_TYPER.PTA is 1', () => {
    const rig = new Rig({ its: [{ typer: 0x1f_0009_efb1n }] });
    const host = rig.start();
    rig.device(host, 0x18).enable(1);
    expect([...rig.its[0].collections]).toEqual([
      [0, 0x80a_0000n],
      [1, 0x80c_0000n],
    ]);
    expect(rig.its[0].commands[rig.its[0].commands.length - 1].rdbase).toBe(0x80a_0000n);
  });
});

describe('an ITS that refuses a command', () => {
  test('EIO names command, operands, slot and why; the ITS goes on', () => {
    const { rig, host, its } = started();
    const device = rig.device(host, 0x18);
    device.enable(1);
    device.disable();
    const slot = its.slot;
    its.verdict = ({ name }) => (name === 'MAPTI' ? 'stall' : 'take');
    expect(caught(() => device.enable(3)).message).toBe(
      `${NODE}: MAPTI DeviceID=0x18 EventID=0x0 pINTID=0x2000 ICID=0x0 in slot ${slot + 1}: ` +
        'the ITS stalls, it refuses the command (EIO)',
    );
    expect(its.devices.size).toBe(0);
    its.verdict = () => 'take';
    expect(device.enable(3)).toHaveLength(3);
  });

  test('a refused SYNC takes its command back', () => {
    const { rig, host, its } = started();
    const device = rig.device(host, 0x18);
    const [virq] = device.enable(1);
    let syncs = 0;
    its.verdict = ({ name }) => (name === 'SYNC' && syncs++ === 0 ? 'stall' : 'take');
    const from = its.commands.length;
    expect(caught(() => host.irqs.setAffinity(virq, [1])).message).toMatch(/: SYNC RDbase=0x0 in slot \d+: .*\(EIO\)$/);
    // The first SYNC stands in for the refused one.
    expect(told(its, from)).toEqual(['MOVI 24/0 to 1', 'SYNC 0', 'MOVI 24/0 to 0', 'SYNC 0']);
    expect(its.events.get('24/0')?.icid).toBe(0);
    expect(host.irqs.irqData(virq).common.effectiveAffinity).toEqual([0]);
  });

  test('a refused INV leaves the configuration byte as it was', () => {
    const { rig, host, its } = started();
    const [virq] = rig.device(host, 0x18).enable(1);
    const table = rig.memory.at(Number(rig.redistributors[0].propbaser & 0xf_ffff_ffff_f000n), 1);
    its.verdict = ({ name }) => (name === 'INV' ? 'stall' : 'take');
    expect(caught(() => host.irqs.enable(virq)).code).toBe('EIO');
    expect(table[0]).toBe(0xa2);
  });

  test('what it refuses to forget stays taken until the ITS is disabled', () => {
    const { rig, host, its } = started();
    const device = rig.device(host, 0x18);
    device.enable(1);
    const before = rig.memory.liveBytes;
    its.verdict = ({ name, valid }) => (name === 'MAPD' && !valid ? 'stall' : 'take');
    device.disable();
    expect(host.log.warnings).toHaveLength(1);
    expect(host.log.warnings[0]).toMatch(
      /: MAPD DeviceID=0x18 Size=0x0 ITT_addr=0x[0-9a-f]+ V=0x0 in slot \d+: .*\(EIO\)$/,
    );
    expect(rig.memory.liveBytes).toBe(before);
    its.verdict = () => 'take';
    const other = rig.device(host, 0x20);
    other.enable(1);
    expect(its.events.get('32/0')?.intid).toBe(8193);
    other.disable();
    host.teardown();
    expect(rig.memory.live).toEqual([]);
  });
});

describe('an ITS that hangs', () => {
  const hang = (its: FakeIts, at: (name: string) => boolean): void => {
    its.verdict = ({ name }) => (at(name) ? 'hang' : 'take');
  };

  test('ETIMEDOUT names the command it hangs at, and nothing new is issued', () => {
    const { rig, host, its } = started();
    const device = rig.device(host, 0x18);
    const slot = its.slot;
    hang(its, (name) => name === 'MAPTI');
    expect(caught(() => device.enable(2)).message).toBe(
      `${NODE}: MAPTI DeviceID=0x18 EventID=0x0 pINTID=0x2000 ICID=0x0 in slot ${slot + 1}: ` +
        'no progress in 100000 polls (ETIMEDOUT)',
    );
    const reads = rig.trace.length;
    expect(caught(() => rig.device(host, 0x20).enable(1)).message).toMatch(
      /: MAPTI DeviceID=0x18 .* in slot \d+: still hung, so DeviceID 0x20 is not mapped \(ETIMEDOUT\)$/,
    );
    expect(rig.trace.length - reads).toBeLessThan(10);
    expect(device.msiDescs).toEqual([]);
    expect(rig.lpis.size).toBe(0);
  });

  test('when it wakes up, everything comes to nothing in order and is free again', () => {
    const { rig, host, its } = started();
    const first = rig.device(host, 0x10);
    first.enable(1);
    const bytes = rig.memory.liveBytes;
    const device = rig.device(host, 0x18);
    hang(its, (name) => name === 'MAPTI');
    const from = its.commands.length;
    expect(caught(() => device.enable(2)).code).toBe('ETIMEDOUT');
    its.wake();
    expect(told(its, from)).toEqual([
      'MAPD 24 V=1',
      'MAPTI 24/0 to 1',
      'SYNC 1',
      'DISCARD 24/0',
      'SYNC 1',
      'MAPD 24 V=0',
    ]);
    // The same LPIs and the same ITT are taken again.
    device.enable(2);
    expect([...its.events.values()].map(({ intid }) => intid)).toEqual([8192, 8193, 8194]);
    device.disable();
    expect(rig.memory.liveBytes).toBe(bytes);
  });

  test('a vector is unmasked only by an ITS that follows, and masked by any', () => {
    const { rig, host, its } = started();
    const [virq] = rig.device(host, 0x18).enable(1);
    const table = rig.memory.at(Number(rig.redistributors[0].propbaser & 0xf_ffff_ffff_f000n), 1);
    host.irqs.enable(virq);
    hang(its, (name) => name === 'INV');
    host.irqs.disable(virq);
    expect(table[0]).toBe(0xa2);
    expect(host.log.warnings).toHaveLength(1);
    expect(host.log.warnings[0]).toMatch(/: INV DeviceID=0x18 EventID=0x0 in slot \d+: .*\(ETIMEDOUT\)$/);
    expect(caught(() => host.irqs.enable(virq)).code).toBe('ETIMEDOUT');
    expect(table[0]).toBe(0xa2);
  });

  test('vectors that are given back meanwhile are queued behind, until the ring is full', () => {
    const { rig, host, its } = started();
    const devices = Array.from({ length: 3 }, (_, i) => rig.device(host, 0x40 + i));
    for (const device of devices) device.enable(512);
    const bytes = rig.memory.liveBytes;
    hang(its, () => true);
    const [last] = devices;
    devices[1].disable();
    expect(host.log.warnings[0]).toMatch(
      /: DISCARD DeviceID=0x41 EventID=0x1ff in slot \d+: no progress in 100000 polls/,
    );
    devices[2].disable();
    expect(host.log.warnings.some((text) => text.endsWith('the queue is full (ETIMEDOUT)'))).toBe(true);
    // Nothing is given out again that the ITS may still use.
    expect(rig.memory.liveBytes).toBe(bytes);
    its.wake();
    expect(its.slot).toBe(its.commands.length % 2048);
    last.disable();
    const fresh = rig.device(host, 0x50);
    fresh.enable(1);
    expect(its.events.get('80/0')?.intid).toBe(8192);
    fresh.disable();
    host.teardown();
    expect(rig.memory.live).toEqual([]);
  });
});
