// SPDX-License-Identifier: Apache-2.0
// The capabilities of a function as user space sees them: which there are, how far each reaches, and which are hidden from its
// list. Source: the behaviour of Linux 6.1 vfio_cap_init, vfio_ecap_init.

import type { PciDevice } from '@irqkit/pci/host';
import {
  CAP_ID,
  Capabilities_Pointer,
  Capability,
  EXT_CAP_ID,
  Extended_Capability,
  MSI_Message_Control,
  PCIe_Capabilities,
  Status,
} from './config-regs.js';

/** One capability. `sizeBytes` is 0 where it is hidden. */
export interface CapabilityExtent {
  readonly id: number;
  readonly at: number;
  readonly sizeBytes: number;
}

const MAX_CAPABILITIES = 48;
const MAX_EXTENDED_CAPABILITIES = (4096 - 256) / 8;

const CAP_BYTES: ReadonlyMap<number, number> = new Map([
  [CAP_ID.POWER_MANAGEMENT, 8],
  [CAP_ID.AGP, 12],
  [CAP_ID.VPD, 8],
  [CAP_ID.MSIX, 12],
  [CAP_ID.ADVANCED_FEATURES, 6],
]);
const EXPRESS_BYTES = { V1: 20, V2: 44 } as const;
const PCIX_BYTES = { V0: 8, V1: 24 } as const;
const HYPERTRANSPORT_BYTES = { SHORT: 8, LONG: 28 } as const;
const SATA_BYTES = { OUTSIDE: 8, INLINE: 16 } as const;

const HIDDEN_EXTENDED: ReadonlySet<number> = new Set([
  EXT_CAP_ID.ROOT_COMPLEX_LINK,
  EXT_CAP_ID.ROOT_COMPLEX_INTERNAL_LINK,
  EXT_CAP_ID.ROOT_COMPLEX_EVENT_COLLECTOR,
  EXT_CAP_ID.RCRB,
  EXT_CAP_ID.CONFIGURATION_ACCESS,
  EXT_CAP_ID.MULTI_ROOT_IOV,
  EXT_CAP_ID.AMD,
  EXT_CAP_ID.SECONDARY_EXPRESS,
  EXT_CAP_ID.PROTOCOL_MULTIPLEXING,
  EXT_CAP_ID.PASID,
]);

/** In the order of its list. */
export function capabilities(device: PciDevice): readonly CapabilityExtent[] {
  const found: CapabilityExtent[] = [];
  if (!Status.Capabilities_List(device.config.get(Status))) return found;
  let at = device.config.get(Capabilities_Pointer) & ~3;
  while (at >= Capability.firstOffset && found.length < MAX_CAPABILITIES) {
    const header = device.readConfig(at, 2);
    const id = Capability.ID(header);
    if (id === 0xff) break;
    found.push({ id, at, sizeBytes: capabilityBytes(device, id, at) });
    at = Capability.Next(header) & ~3;
  }
  return found;
}

/** @linux pci_cap_length, vfio_cap_len */
function capabilityBytes(device: PciDevice, id: number, at: number): number {
  switch (id) {
    case CAP_ID.MSI: {
      const control = device.config.get(MSI_Message_Control, at);
      const address = MSI_Message_Control.Address_64bit_Capable(control) ? 14 : 10;
      return MSI_Message_Control.Per_Vector_Masking_Capable(control) ? address + 10 : address;
    }
    case CAP_ID.PCIX:
      return (device.readConfig(at + 2, 2) & 0x3000) === 0 ? PCIX_BYTES.V0 : PCIX_BYTES.V1;
    case CAP_ID.HYPERTRANSPORT:
      return (device.readConfig(at + 3, 1) & 0xe0) !== 0 ? HYPERTRANSPORT_BYTES.SHORT : HYPERTRANSPORT_BYTES.LONG;
    case CAP_ID.VENDOR:
      return device.readConfig(at + 2, 1);
    case CAP_ID.EXPRESS: {
      const version = PCIe_Capabilities.Capability_Version(device.config.get(PCIe_Capabilities, at));
      return version === 1 ? EXPRESS_BYTES.V1 : EXPRESS_BYTES.V2;
    }
    case CAP_ID.SATA:
      return (device.readConfig(at + 4, 1) & 0xf) === 0xf ? SATA_BYTES.INLINE : SATA_BYTES.OUTSIDE;
    default:
      return CAP_BYTES.get(id) ?? 0;
  }
}

/**
 * In the order of the list.
 * CHOICE: one that is shown reaches to the next above it; Linux knows the length of each kind.
 */
export function extendedCapabilities(device: PciDevice, sizeBytes: number): readonly CapabilityExtent[] {
  const found: { id: number; at: number }[] = [];
  let at: number = Extended_Capability.firstOffset;
  while (at >= Extended_Capability.firstOffset && at < sizeBytes && found.length < MAX_EXTENDED_CAPABILITIES) {
    const header = device.readConfig(at, 4);
    if (header === 0 || header === 0xffff_ffff) break;
    found.push({ id: Extended_Capability.ID(header), at });
    at = Extended_Capability.Next(header) & ~3;
  }
  return found.map(({ id, at: start }) => {
    const above = found.map((other) => other.at).filter((other) => other > start);
    const hidden = id === 0 || HIDDEN_EXTENDED.has(id);
    return { id, at: start, sizeBytes: hidden ? 0 : Math.min(sizeBytes, ...above) - start };
  });
}
