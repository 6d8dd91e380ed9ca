// SPDX-License-Identifier: Apache-2.0
// What software does with one LPI: its configuration byte and the commands that make it known. @linux its_irq_chip

import { LinuxError, parentChip } from '@irqkit/core';
import type { IrqChip, IrqData, MsiDoorbellInfo, PhysAddr } from '@irqkit/core';
import { clear, int, inv, movi } from './command-words.js';
import { eventOf } from './its-domain.js';
import type { ItsParts } from './its-domain.js';

/** Where devices write. */
export interface ItsDoorbell {
  readonly info: MsiDoorbellInfo;
  addressFor(deviceId: number): PhysAddr;
}

type ChipParts = Pick<ItsParts, 'path' | 'queue' | 'collections' | 'lpis'>;

export function itsChip(parts: ChipParts, doorbell: ItsDoorbell): IrqChip {
  return {
    name: 'ITS',
    mask: (data) => setEnabled(parts, data, false),
    unmask: (data) => setEnabled(parts, data, true),
    eoi: parentChip.eoi,
    setAffinity: (data, cpus) => move(parts, data, cpus),
    retrigger: (data) => setPending(parts, data, true),
    composeMsiMsg(data, msg) {
      const { device, eventId } = eventOf(data);
      msg.address = doorbell.addressFor(device.deviceId);
      msg.data = eventId;
    },
    msiDoorbellInfo: () => doorbell.info,
  };
}

/** @linux lpi_update_config */
function setEnabled({ queue, collections, lpis }: ChipParts, data: IrqData, enabled: boolean): void {
  const { device, eventId } = eventOf(data);
  const changed = lpis.configure(data.hwirq, enabled);
  const cpu = device.cpuOf(eventId);
  if (cpu < 0) return;
  const command = inv(device.deviceId, eventId);
  const syncTarget = collections.targetOf(cpu);
  // Who masks is letting go, and is not kept by an ITS that has died.
  if (!enabled) return void queue.takeBack(command, syncTarget);
  try {
    queue.issue(command, { syncTarget });
  } catch (error) {
    if (changed) lpis.configure(data.hwirq, false);
    throw error;
  }
}

/**
 * Moves an LPI to the least loaded of `cpus` that are online, itself counted out. The message stays what it is.
 * @throws LinuxError EINVAL where none is online; what the command queue throws @linux its_set_affinity
 */
export function move({ path, queue, collections, lpis }: ChipParts, data: IrqData, cpus: readonly number[]): void {
  const { device, eventId } = eventOf(data);
  const from = device.cpuOf(eventId);
  const online = collections.online(cpus);
  if (online.length === 0)
    throw new LinuxError('EINVAL', `${path}: LPI ${data.hwirq}: none of the processors is online`);
  if (from < 0) return;
  lpis.load[from]--;
  let to = from;
  try {
    const target = lpis.leastLoaded(online);
    if (target !== from)
      queue.issue(movi(device.deviceId, eventId, target), {
        syncTarget: collections.targetOf(from),
        undo: movi(device.deviceId, eventId, from),
      });
    to = target;
  } finally {
    lpis.load[to]++;
  }
  device.setCpu(eventId, to);
  data.common.effectiveAffinity = [to];
}

/** @throws LinuxError EINVAL for an LPI that is not mapped @linux its_irq_set_irqchip_state */
export function setPending({ path, queue, collections }: ChipParts, data: IrqData, pending: boolean): void {
  const { device, eventId } = eventOf(data);
  const cpu = device.cpuOf(eventId);
  if (cpu < 0) throw new LinuxError('EINVAL', `${path}: LPI ${data.hwirq} is not mapped`);
  const command = pending ? int(device.deviceId, eventId) : clear(device.deviceId, eventId);
  queue.issue(command, { syncTarget: collections.targetOf(cpu) });
}
