// SPDX-License-Identifier: Apache-2.0
// Processors that come and go. Collections of those that are gone stay mapped, and nothing goes to them. @linux its_cpu_init,
// irq_migrate_all_off_this_cpu

import { LinuxError } from '@irqkit/core';
import type { HostLog, IrqDomain, Redistributors } from '@irqkit/core';
import { move } from './its-chip.js';
import type { ItsParts } from './its-domain.js';

/** Follows the processors until the returned removal is called. */
export function followProcessors(
  parts: ItsParts,
  domain: IrqDomain,
  redistributors: Redistributors,
  log: HostLog,
): () => void {
  return redistributors.onHotplug((cpu, online) => {
    if (online) bringUp(parts, cpu);
    else moveAllFrom(parts, domain, cpu, log);
  });
}

/** Has a processor take LPIs. @throws LinuxError as the redistributor or the command queue does */
export function bringUp({ lpis, collections }: ItsParts, cpu: number): void {
  lpis.enable(cpu);
  collections.map(cpu);
}

function moveAllFrom(parts: ItsParts, domain: IrqDomain, gone: number, log: HostLog): void {
  const rest = parts.collections.allOnline.filter((cpu) => cpu !== gone);
  for (const device of parts.devices.all)
    for (const eventId of device.eventsOn(gone)) {
      const data = domain.find(device.firstLpi + eventId);
      if (!data) continue;
      const wanted = rest.filter((cpu) => data.common.affinity.includes(cpu));
      try {
        move(parts, data, wanted.length > 0 ? wanted : rest);
        if (wanted.length === 0) data.common.affinity = rest;
      } catch (error) {
        if (!LinuxError.is(error)) throw error;
        log.warn(error.message);
      }
    }
}
