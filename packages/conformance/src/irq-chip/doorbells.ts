// SPDX-License-Identifier: Apache-2.0
// What an MSI controller registers and what it composes belong together (REQUIREMENTS R1, R4, R5).

import { hex } from '@irqkit/bits';
import { DOORBELL_PROT, doorbellBases, lookupDoorbell } from '@irqkit/core';
import type { MsiDoorbellInfo } from '@irqkit/core';
import { expectSame, expectThat } from '../expect/expect.js';
import { firstDifference } from '../expect/same-data.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

/** An MSI is one 32-bit write. */
const MESSAGE_BYTES = 4;

export const doorbellChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'msi: probing registers doorbells, which are written, MMIO and not executable',
    needs: ['msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { doorbells } = rig.probe();
        expectThat(doorbells.all.length > 0, () => `${rig.machine.path}: no doorbell is registered`);
        for (const info of doorbells.all) expectSame(info.prot, DOORBELL_PROT, `the protection of ${show(info)}`);
      });
    },
  },
  {
    title: 'msi: composes only addresses within registered doorbells, wherever a vector is moved',
    needs: ['msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs, doorbells } = rig.probe();
        const device = openDevice(rig);
        const check = (virq: number) => {
          const { address } = device.messageOf(virq);
          expectThat(
            doorbells.all.some((info) => holds(info, address)),
            () => `a message to ${hex(address)} is outside ${doorbells.all.map(show).join(' and ')}`,
          );
        };
        for (const { virq } of device.enable(subject.nrVectors)) {
          check(virq);
          if (!subject.supports('affinity')) continue;
          for (let cpu = 0; cpu < irqs.cpus.count; cpu++) {
            irqs.setAffinity(virq, [cpu]);
            check(virq);
          }
        }
      });
    },
  },
  {
    title: 'msi: names a registered doorbell for every vector',
    needs: ['msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        const device = openDevice(rig);
        for (const { virq } of device.enable(subject.nrVectors)) expectNamed(rig, virq);
        for (const info of device.msiDomain.doorbells) expectRegistered(rig, info, "the domain's doorbell");
        expectThat(device.msiDomain.doorbells.length > 0, () => `${rig.machine.path}: its domain has no doorbells`);
      });
    },
  },
];

function expectNamed(rig: Rig, virq: number): void {
  const info = lookupDoorbell(rig.host.irqs.irqData(virq));
  expectThat(info !== undefined, () => `${rig.machine.path}: no chip has msiDoorbellInfo for a vector`);
  expectRegistered(rig, info, 'the doorbell of a vector');
}

function expectRegistered(rig: Rig, info: MsiDoorbellInfo, what: string): void {
  const { all } = rig.host.doorbells;
  expectThat(
    all.some((registered) => firstDifference(registered, info) === undefined),
    () => `${what}, ${show(info)}, is none of the registered ones: ${all.map(show).join(' and ')}`,
  );
}

function holds(info: MsiDoorbellInfo, address: number): boolean {
  return doorbellBases(info).some((base) => address >= base && address + MESSAGE_BYTES <= base + info.sizeBytes);
}

function show(info: MsiDoorbellInfo): string {
  return `the doorbell of ${info.sizeBytes} bytes at ${doorbellBases(info)
    .map((base) => hex(base))
    .join(', ')}`;
}
