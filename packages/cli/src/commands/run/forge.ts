// SPDX-License-Identifier: Apache-2.0
// A device behind an IOMMU writes another's message straight to the doorbell, at its physical address.

import { doorbellBases } from '@irqkit/core';
import type { Host, IommuFault } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import { PciEndpoint } from '@irqkit/pci/model';
import type { PciFunctionModel } from '@irqkit/pci/model';
import type { ForgedMessage } from './journey-report.js';

const EVENT_ID = Uint8Array.of(0, 0, 0, 0);

/** By the first of `endpoints` whose messages are translated; undefined where there is none. */
export function forgeMessage(
  host: Host,
  endpoints: readonly { readonly device: PciDevice; readonly model: PciFunctionModel | undefined }[],
): ForgedMessage | undefined {
  const forger = endpoints.find(({ device, model }) => device.msiTranslation && model instanceof PciEndpoint);
  const [doorbell] = host.doorbells.all;
  if (!(forger?.model instanceof PciEndpoint) || !doorbell) return undefined;
  const [address] = doorbellBases(doorbell);
  const faults: IommuFault[] = [];
  const stopListening = host.iommus.onFault((fault) => faults.push(fault));
  const arrived = forger.model.dmaStore(address, EVENT_ID);
  stopListening();
  return { device: forger.device.name, address, arrived, faults: faults.map(({ text }) => text) };
}
