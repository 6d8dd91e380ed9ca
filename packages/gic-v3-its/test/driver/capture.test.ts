// SPDX-License-Identifier: Apache-2.0
// The driver beside the real one: given the devices of recorded Linux boots in Linux's order, it does what Linux did.

import { describeWithShared } from '@irqkit-test/env';
import { capturedCommands, mmioWrites } from './capture.js';
import type { CapturedCommand } from './capture.js';
import type { Command } from './fake-its.js';
import { Rig } from './rig.js';
import type { TestDevice } from './rig.js';

const ITT_ADDRESS = 0xf_ffff_ffff_ff00n;

/** A command's doublewords, without what depends on where memory was found. */
function content({ name, words }: Pick<Command, 'name' | 'words'>): string {
  const kept = name === 'MAPD' ? [words[0], words[1], words[2] & ~ITT_ADDRESS, words[3]] : words;
  return `${name} ${kept.map((each) => each.toString(16)).join(' ')}`;
}

/** How many vectors a device enables: MAPTIs of new events up to its next MAPD. */
function nrVectors(commands: readonly CapturedCommand[], at: number): number {
  const { deviceId } = commands[at];
  const events = new Set<number>();
  for (const each of commands.slice(at + 1)) {
    if (each.deviceId !== deviceId) continue;
    if (each.name === 'MAPD') break;
    if (each.name === 'MAPTI') events.add(each.eventId);
  }
  return events.size;
}

describeWithShared('the driver and Linux 6.1, as recorded', () => {
  test('probing writes the same registers with the same values in the same order, from the same processors', () => {
    const rig = new Rig();
    rig.start();
    // Beyond lie the first device's commands.
    const recorded = mmioWrites('D').filter(({ n }) => n < 6296);
    const masks: Readonly<Record<string, bigint>> = {
      'its 128': ~0xf_ffff_ffff_f000n,
      'its 256': ~0xffff_ffff_f000n,
      'its 264': ~0xffff_ffff_f000n,
    };
    const shown = ({
      frame,
      offset,
      value,
      cpu,
    }: {
      frame: string;
      offset: number;
      value: bigint;
      cpu: number;
    }): string => {
      const mask = frame === 'its' ? (masks[`its ${offset}`] ?? ~0n) : offset === 0 ? ~0n : ~0xf_ffff_ffff_f000n;
      return `${frame} + 0x${offset.toString(16)} = 0x${(value & mask).toString(16)} by ${cpu}`;
    };
    const written = rig.trace.filter(({ op }) => op === 'w').map(shown);
    expect(written).toEqual(recorded.map(shown));
    expect(written.length).toBeGreaterThan(25);
  });

  test.each(['D', 'D-churn', 'A', 'A-vfio'])('%s: every command, in order, byte for byte', (capture) => {
    const commands = capturedCommands(capture);
    const rig = new Rig();
    const host = rig.start();
    const { irqs } = host;
    const domain = irqs.requireDomain(rig.itsNodes[0], 'msi-parent');
    const prepared = new Map<number, { device: TestDevice; undo: (() => void) | undefined; virqs: number[] }>();
    const deviceOf = ({ deviceId }: CapturedCommand) => {
      const found = prepared.get(deviceId);
      if (!found) throw new Error(`DeviceID ${deviceId} is not prepared`);
      return found;
    };
    let collections = 0;
    commands.forEach((command, at) => {
      const { name, deviceId, eventId, icid, valid } = command;
      switch (name) {
        case 'MAPC':
          // The first ones belong to probing; later ones to processors that come back.
          if (collections++ < 2) break;
          rig.plug(icid, false);
          rig.plug(icid, true);
          break;
        case 'MAPD':
          if (valid) {
            const device = rig.device(host, deviceId);
            const undo = domain.msiParent?.prepare?.(domain, device, nrVectors(commands, at));
            prepared.set(deviceId, { device, undo, virqs: [] });
          } else {
            const { virqs, undo } = deviceOf(command);
            for (const virq of virqs) irqs.freeIrqs(virq, 1);
            undo?.();
            prepared.delete(deviceId);
          }
          break;
        case 'MAPTI': {
          const { device, virqs } = deviceOf(command);
          virqs[eventId] ??= irqs.allocIrqs(domain, 1, { device });
          irqs.setAffinity(virqs[eventId], [icid]);
          irqs.activate(virqs[eventId]);
          break;
        }
        case 'MOVI':
          irqs.setAffinity(deviceOf(command).virqs[eventId], [icid]);
          break;
        case 'INV': {
          const virq = deviceOf(command).virqs[eventId];
          if (irqs.irqDesc(virq).disableDepth === 0) irqs.disable(virq);
          else irqs.enable(virq);
          break;
        }
        case 'DISCARD':
          irqs.deactivate(deviceOf(command).virqs[eventId]);
          break;
      }
    });
    expect(rig.its[0].commands.map(content)).toEqual(commands.map(content));
    expect(commands.length).toBeGreaterThan(100);
  });

  test('D: through the frameworks, each device has the same sequence, EventIDs, LPIs and ITT sizes', () => {
    const commands = capturedCommands('D');
    const rig = new Rig();
    const host = rig.start();
    const enabled = new Map<number, { device: TestDevice; virqs: readonly number[]; requested: Set<number> }>();
    const handler = (): boolean => true;
    commands.forEach((command, at) => {
      const { name, deviceId, eventId, valid } = command;
      const known = enabled.get(deviceId);
      if (name === 'MAPD' && valid) {
        const device = rig.device(host, deviceId);
        enabled.set(deviceId, { device, virqs: device.enable(nrVectors(commands, at)), requested: new Set() });
      } else if (name === 'INV' && known) {
        const virq = known.virqs[eventId];
        if (known.requested.delete(virq)) host.irqs.freeIrq(virq, handler);
        else {
          known.requested.add(virq);
          host.irqs.requestIrq(virq, handler, 'test');
        }
      } else if (name === 'DISCARD') known?.device.disable();
    });
    // Which processor an LPI goes to is left out: Linux counts managed vectors apart, which core does not have.
    const sequenceOf = (
      of: readonly Pick<CapturedCommand, 'name' | 'deviceId' | 'eventId' | 'intid' | 'size' | 'valid'>[],
    ) =>
      of
        .filter(({ name }) => ['MAPD', 'MAPTI', 'INV', 'DISCARD'].includes(name))
        .reduce<Record<number, string[]>>((by, { name, deviceId, eventId, intid, size, valid }) => {
          const text =
            name === 'MAPD'
              ? `MAPD V=${valid} Size=${size}`
              : `${name} ${eventId}${name === 'MAPTI' ? ` ${intid}` : ''}`;
          (by[deviceId] ??= []).push(text);
          return by;
        }, {});
    expect(sequenceOf(rig.its[0].commands)).toEqual(sequenceOf(commands));
    expect(Object.keys(sequenceOf(commands))).toHaveLength(8);
  });

  test('D: vectors that Linux does not manage go to the processors that Linux chose', () => {
    const commands = capturedCommands('D');
    const rig = new Rig();
    const host = rig.start();
    // Event 0 of each, up to the first device that gives its vectors back
    const first = commands.slice(
      0,
      commands.findIndex(({ name }) => name === 'DISCARD'),
    );
    const mapped = first.filter(({ name, eventId }) => name === 'MAPTI' && eventId === 0);
    for (const { deviceId } of mapped) rig.device(host, deviceId).enable(1);
    expect(rig.its[0].commands.filter(({ name }) => name === 'MAPTI').map(({ icid }) => icid)).toEqual(
      mapped.map(({ icid }) => icid),
    );
    expect(mapped).toHaveLength(7);
  });
});
