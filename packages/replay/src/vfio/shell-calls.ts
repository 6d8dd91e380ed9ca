// SPDX-License-Identifier: Apache-2.0
// What the recorder's shell did to drivers, and what it looked at in /dev/vfio and sysfs.

import { LinuxError } from '@irqkit/core';
import type { VfioMachine } from './machine.js';
import type { VfioRecord } from './recording.js';

/** What a shell record answered: its result, and what its text or note says of the machine. */
export interface ShellOutcome {
  readonly ret: number;
  readonly text: string;
  /** What the record says of the same. */
  readonly recorded: string;
}

const nameOf = (record: VfioRecord): string => record.input.string('value').trim().split(' ')[0];
const textOf = (record: VfioRecord): string => record.output.string('text').trim();

/** Undefined for a record that is no such thing. */
export function playShell(record: VfioRecord, machine: VfioMachine): ShellOutcome | undefined {
  switch (record.call) {
    case 'dev-vfio-ls':
      return {
        ret: 0,
        text: [...machine.vfio.groupIds, 'vfio'].join(' '),
        recorded: textOf(record).replace(/ +/g, ' '),
      };
    case 'bind-vfio-pci':
      return bindVfio(record, machine);
    case 'unbind':
      machine.unbind(nameOf(record));
      return { ret: 0, text: '', recorded: '' };
    case 'set-param':
      return setParameter(record, machine);
    case 'group-devices':
      return groupDevices(record, machine);
    case 'bind-host-driver-while-vfio-owns-group':
    case 'bind-host-driver-after-vfio-closed':
    case 'rebind-host':
      return rebind(record, machine);
    default:
      return undefined;
  }
}

// A probe that fails leaves no driver; the shell's own result is that of a write to sysfs.
function bindVfio(record: VfioRecord, machine: VfioMachine): ShellOutcome {
  const device = machine.device(nameOf(record));
  try {
    machine.bindVfio(device.name);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
  }
  const driver = machine.vfio.bindings.of(device)?.name ?? '';
  return { ret: 0, text: `driver now=${driver} group=${device.iommuGroup?.id ?? ''}`, recorded: record.note };
}

function setParameter(record: VfioRecord, machine: VfioMachine): ShellOutcome {
  const [, name, value] = /^(\w+)=(\d+)$/.exec(record.input.string('value').trim()) ?? [];
  if (name === 'dma_entry_limit') machine.vfio.settings.dmaEntryLimit = Number(value);
  return { ret: 0, text: String(machine.vfio.settings.dmaEntryLimit), recorded: textOf(record) };
}

// The shell unbinds some drivers without a record of its own: what it then sees is what it left.
function groupDevices(record: VfioRecord, machine: VfioMachine): ShellOutcome {
  const recorded = textOf(record);
  const group = machine.host.iommus.groups.find(({ id }) => String(id) === nameOf(record));
  const devices = [...(group?.devices ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name } of devices)
    if (recorded.split(' ').includes(`${name}=`) && machine.vfio.bindings.of(machine.device(name)))
      machine.unbind(name);
  const shown = devices.map((device) => `${device.name}=${machine.vfio.bindings.of(device)?.name ?? ''}`);
  return { ret: 0, text: shown.join(' '), recorded };
}

function rebind(record: VfioRecord, machine: VfioMachine): ShellOutcome {
  const device = machine.device(nameOf(record));
  let ret = 0;
  try {
    if (machine.vfio.isBound(device)) machine.unbind(device.name);
    machine.bindHostDriver(device.name, machine.hostDriverOf(device.name));
  } catch (error) {
    if (!LinuxError.is(error, 'EBUSY')) throw error;
    ret = 1;
  }
  return { ret, text: `driver now=${machine.vfio.bindings.of(device)?.name ?? ''}`, recorded: record.note };
}
