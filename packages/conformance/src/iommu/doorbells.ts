// SPDX-License-Identifier: Apache-2.0
// The messages of a device behind the IOMMU reach their doorbell (REQUIREMENTS R7, R12-R14).

import { hex } from '@irqkit/bits';
import type { IommuDomain, MsiMsg, PhysAddr } from '@irqkit/core';
import { expectSame, expectThat } from '../expect/expect.js';
import { sweep } from '../rig/sweep.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import type { DmaDevice } from './rig/dma-device.js';
import { arrivingDuring, doorbellAddress } from './rig/doorbell.js';
import { regionAt, withIommu } from './rig/iommu-stand.js';
import type { IommuStand } from './rig/iommu-stand.js';
import { DOORBELL_PATH } from './rig/own-firmware.js';

export const doorbellChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'in an unmanaged domain a doorbell is bound in the window for doorbells, its offset kept, and reached',
    needs: ['msi'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const msg = device.enableMsi();
        const { address } = msg;
        const window = regionAt(stand.iommus.resvRegions(device), address, 4);
        expectSame(window?.type, 'sw-msi', `the region that the message's address, ${hex(address)}, is in`);
        expectBound(stand, domain, address);
        expectArrives(stand, device, msg, 'in an unmanaged domain');
      });
    },
  },
  {
    title: 'in a DMA domain a doorbell is bound, its offset kept, and reached by who has bound it alone',
    needs: ['msi'],
    run() {
      withIommu(subject, (stand) => {
        const [device, other] = [stand.device(0), stand.device(1)];
        const msg = device.enableMsi();
        expectBound(stand, stand.iommus.domainOf(device.group), msg.address);
        expectLost(stand, other, msg, 'written by a device whose doorbell is not bound');
        expectArrives(stand, device, msg, 'in a DMA domain');
      });
    },
  },
  {
    title: 'in an identity domain a message goes to the physical address of its doorbell',
    needs: ['identity'],
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        stand.attach(stand.domain(device, 'identity'), device);
        const msg = device.enableMsi();
        expectSame(msg.address, doorbellOf(stand), "the message's address in an identity domain");
        expectArrives(stand, device, msg, 'in an identity domain');
      });
    },
  },
  ...(subject.supports('msi') ? [] : [untranslatedCheck(subject)]),
  {
    title: 'enabling MSIs that fails at any step leaves nothing behind, and the next time works',
    needs: ['msi'],
    run() {
      withIommu(subject, (stand) => {
        const { rig } = stand;
        const { device } = stand.open();
        sweep(rig, 'enabling MSIs', {
          attempt: () => void device.enableMsi(),
          undo: () => device.disableMsi(),
          clear: () => expectSame(device.msiDescs.length, 0, 'vectors after enabling MSIs failed'),
        });
        expectArrives(stand, device, device.enableMsi(), 'after all faults');
      });
    },
  },
];

const untranslatedCheck = (subject: IommuSubject): IommuCheck => ({
  title: 'messages are not translated: they go to the physical address of their doorbell, and arrive in any domain',
  run() {
    withIommu(subject, (stand) => {
      const [device, other] = [stand.device(0), stand.open(1).device];
      for (const [sender, when] of [
        [device, 'in the default domain'],
        [other, 'in an unmanaged domain'],
      ] as const) {
        const msg = sender.enableMsi();
        expectSame(msg.address, doorbellOf(stand), `the message's address ${when}`);
        expectArrives(stand, sender, msg, when);
      }
    });
  },
});

function doorbellOf({ rig }: IommuStand): PhysAddr {
  const node = rig.machine.firmware.find(DOORBELL_PATH);
  expectThat(node !== undefined, () => `${DOORBELL_PATH}: firmware has no such node`);
  return doorbellAddress(node.reg(0));
}

function expectBound(stand: IommuStand, domain: IommuDomain, address: MsiMsg['address']): void {
  const [pageBytes] = domain.pageSizes;
  const doorbell = doorbellOf(stand);
  expectSame(
    address % pageBytes,
    doorbell % pageBytes,
    `the offset in its page of the message's address ${hex(address)}`,
  );
  const pa = domain.iovaToPhys(address as Parameters<IommuDomain['iovaToPhys']>[0]);
  expectSame(pa, doorbell, `iovaToPhys of the message's address ${hex(address)}`);
}

function expectArrives(stand: IommuStand, device: DmaDevice, msg: MsiMsg, when: string): void {
  const arriving = arrivingDuring(stand.rig, () => void device.send(msg));
  const { requesterId } = device;
  expectSame(arriving, [{ data: msg.data, requesterId }], `what arrives of a message to ${hex(msg.address)} ${when}`);
}

function expectLost(stand: IommuStand, device: DmaDevice, msg: MsiMsg, when: string): void {
  const arriving = arrivingDuring(stand.rig, () => void device.send(msg));
  expectSame(arriving, [], `what arrives of a message to ${hex(msg.address)}, ${when}`);
}
