// SPDX-License-Identifier: Apache-2.0
// A controller that irqkit has never heard of, written against its published names, carries messages end to end.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBoard } from '@irqkit/board';
import { journey, PLUGINS } from '@irqkit/cli';
import { createHost, physAddr } from '@irqkit/core';
import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt, parseFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode, FdtProperty } from '@irqkit/fdt';
import { gicV2 } from '@irqkit/gic-v2';
import { pciHostGeneric } from '@irqkit/pci';
import { PciDevice } from '@irqkit/pci/host';
import { nvmeLike } from '@irqkit/pci/model';
import { acmeMailbox } from './support/acme-mailbox.js';

const packages = fileURLToPath(new URL('../packages', import.meta.url));
const MAILBOX = 0x802_0000;
const FIRST_INTID = 80;

/** The command line's own platform with the GICv2m frame taken out and the mailbox in its place. */
function mailboxPlatform(): Firmware {
  const tree = parseFdt(readFileSync(join(packages, 'cli/platforms/virt-gic-v2m.dtb')));
  const replaced = (node: FdtNode): FdtNode => {
    if (node.name !== 'v2m@8020000') return { ...node, children: node.children.map(replaced) };
    const kept = node.properties.filter(({ name }) => ['reg', 'phandle'].includes(name));
    const name = 'mailbox@8020000';
    return {
      name,
      children: [],
      properties: [...kept, text('compatible', 'acme,msi-mailbox'), cell('acme,first-intid', FIRST_INTID)],
    };
  };
  return firmwareFromFdt(writeFdt({ ...tree, root: replaced(tree.root) }));
}

function text(name: string, value: string): FdtProperty {
  return { name, value: new TextEncoder().encode(`${value}\0`) };
}

function cell(name: string, value: number): FdtProperty {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return { name, value: bytes };
}

describe('R25: a third controller, with the public API alone', () => {
  test('R25: registers a doorbell and delivers every vector of an endpoint exactly once', () => {
    const firmware = mailboxPlatform();
    const plugins = [pciHostGeneric, acmeMailbox, gicV2];
    const model = nvmeLike({ vectors: 16 });
    const board = createBoard({ firmware, plugins, plugged: { '/pcie@10000000': [{ device: 1, model }] } });
    const host = createHost({ firmware, plugins, bus: board.bus });

    expect(host.doorbells.all).toMatchObject([{ globalDoorbell: MAILBOX + 0x10, sizeBytes: 4, irqRemapping: true }]);
    expect(host.doorbells.pages(12)).toBe(1);
    const device = host.devices.find('0000:00:01.0') as PciDevice;
    expect(host.doorbells.hasIsolatedMsi(device)).toBe(true);

    device.enable();
    const virqs = device.enableMsix(16);
    const taken: number[] = [];
    for (const virq of virqs) host.irqs.requestIrq(virq, (which) => taken.push(which) > 0, `vector of ${device.name}`);
    expect(device.msiDescs.map(({ msg }) => [msg.address, msg.data])).toEqual(
      virqs.map((_, slot) => [MAILBOX + 0x10, slot]),
    );
    virqs.forEach((_, vector) => expect(model.raise(vector)).toBe(true));
    expect(taken).toEqual(virqs);

    // Requester 00:02.0 is not the owner of any slot.
    const stranger = { kind: 'device', cpu: -1, requesterId: 0x10, streamId: -1, deviceId: 0x10 } as const;
    board.access.deviceWrite(physAddr(MAILBOX + 0x10), 3, 4, stranger);
    expect(taken).toHaveLength(16);
    expect(board.log.entries.at(-1)?.message).toBe('slot 3 rung by id 16, not its owner');

    host.teardown();
    expect(host.doorbells.all).toEqual([]);
    board.dispose();
  });

  test('R25: the command line takes it like any other; without multi-MSI a block is cut to one message', () => {
    const report = journey({ firmware: mailboxPlatform(), plugins: [...PLUGINS, acmeMailbox] });
    expect(report.safe).toBe(true);
    expect(report.doorbells).toEqual([{ bases: [MAILBOX + 0x10], sizeBytes: 4, pages: 1, isolated: true }]);
    expect([report.vectorsEnabled, report.vectorsDelivered]).toEqual([5 + 1 + 33 + 1, 5 + 1 + 33 + 1]);
    expect(report.devices.map(({ name, mode, vectors }) => [name, mode, vectors.length])).toEqual([
      ['0000:00:02.0', 'MSI-X', 5],
      ['0000:00:03.0', 'MSI', 1],
      ['0000:01:00.0', 'MSI-X', 33],
      ['0000:02:01.0', 'MSI', 1],
    ]);
    expect(report.devices[1].trouble).toMatch(/^1 of 8 vectors: /);
  });

  test.each(['core', 'board', 'cli', 'pci'])('R25: nothing in %s names it', (name) => {
    const source = join(packages, name, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(0);
    const naming = files.filter((file) => /acme|mailbox/i.test(readFileSync(join(source, file), 'utf8')));
    expect(naming).toEqual([]);
  });
});
